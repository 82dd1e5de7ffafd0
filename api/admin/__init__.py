"""Administration: routes for administrators only."""
