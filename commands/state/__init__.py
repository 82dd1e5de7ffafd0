"""The writer's state in memory, and its frozen form."""
