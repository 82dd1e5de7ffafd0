"""The page at `/schema`: the OpenAPI document, rendered by Swagger UI.

The page needs no other host. Its scripts and styles come from this server, which takes
them from the package flask-swagger-ui. The package itself is never imported: Bourse
does not use Flask.
"""

from collections.abc import Mapping
from copy import copy
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from litestar import Request, Response, Router, get
from litestar.exceptions import NotFoundException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import OpenAPIRenderPlugin

PATH = "/schema"
START = "start.js"
#: Media types by file, of the package or of this module.
FILES: Mapping[str, str] = {
    "favicon-32x32.png": "image/png",
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    START: "text/javascript",
}
#: Swagger UI sets styles in the page and has images in its style sheet; it may ask this
#: server alone.
PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_FILE_HEADERS = {
    "Cache-Control": "public, max-age=86400",
    "X-Content-Type-Options": "nosniff",
}
_PAGE = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>The API of Bourse</title>
<link rel="icon" type="image/png" href="{PATH}/favicon-32x32.png">
<link rel="stylesheet" href="{PATH}/swagger-ui.css">
</head>
<body>
<noscript>This page needs JavaScript. The document itself is at
<a href="{PATH}/openapi.json">{PATH}/openapi.json</a>.</noscript>
<div id="api"></div>
<script src="{PATH}/swagger-ui-bundle.js"></script>
<script src="{PATH}/{START}"></script>
</body>
</html>
"""
# Without `validatorUrl`, Swagger UI would send the document's address to a validator.
_START = f"""SwaggerUIBundle({{
  url: "{PATH}/openapi.json",
  dom_id: "#api",
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  validatorUrl: null,
}});
"""


def with_page(config: OpenAPIConfig) -> OpenAPIConfig:
    """Return the configuration of one application that also serves the page."""
    router = Router(
        PATH,
        route_handlers=[page_file],
        include_in_schema=False,
        after_request=_restrict,
        dto=None,
        return_dto=None,
    )
    own = copy(config)
    own.openapi_router = router
    own.render_plugins = [_Page(), *config.render_plugins]
    return own


class _Page(OpenAPIRenderPlugin):
    """Renders the page at the root of the router."""

    def __init__(self) -> None:
        super().__init__(path="/")

    def render(
        self, request: Request[Any, Any, Any], openapi_schema: dict[str, object]
    ) -> bytes:
        del request, openapi_schema
        return _PAGE.encode()


async def _restrict(response: Response[Any]) -> Response[Any]:
    """Restrict the page; refuse an unknown path as every other route does.

    For unknown paths here, the framework has its own handler, which sends a page.

    Raises:
        NotFoundException: there is nothing at this path.
    """
    if response.status_code == 404:
        raise NotFoundException
    if response.media_type == "text/html":
        response.headers.update(PAGE_HEADERS)
    return response


@get([f"/{name}" for name in FILES], sync_to_thread=False)
def page_file(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Return a script, a style sheet or a picture of the page."""
    name = request.scope["path"].rpartition("/")[2]
    return Response(_content(name), media_type=FILES[name], headers=_FILE_HEADERS)


@cache
def _content(name: str) -> bytes:
    if name == START:
        return _START.encode()
    package = find_spec("flask_swagger_ui")
    assert package is not None
    assert package.origin is not None
    return (Path(package.origin).parent / "dist" / name).read_bytes()
