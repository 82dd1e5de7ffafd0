"""What any HTTP service needs: bodies, errors, callers, parameters, OpenAPI."""
