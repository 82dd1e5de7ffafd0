"""The OpenAPI document: made from the routes, with the failures that all share."""

from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme

OPENAPI = OpenAPIConfig(
    title="Bourse",
    version="0.1.0",
    description="An exchange, spoken to in the shape of Alpaca's trading API v2.",
    use_handler_docstrings=True,
    components=Components(
        security_schemes={
            "bearer": SecurityScheme(type="http", scheme="bearer", bearer_format="JWT")
        }
    ),
    render_plugins=[JsonRenderPlugin()],
)
