"""What every process needs: settings, logging, the clock, new ids."""
