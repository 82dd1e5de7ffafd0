"""The page at `/`: what this server is, and where to go."""

from litestar import MediaType, Response, get

#: The page loads nothing and runs nothing.
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "Cache-Control": "public, max-age=300",
    "X-Content-Type-Options": "nosniff",
}
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Bourse</title>
<style>
:root { color-scheme: light dark; }
body { font: 1rem/1.6 system-ui, sans-serif; max-width: 42rem; margin: 0 auto;
  padding: 3rem 1.5rem; }
code { font-size: 0.95em; }
li { margin: 0.4rem 0; }
</style>
</head>
<body>
<main>
<h1>Bourse</h1>
<p>This is a stock exchange with an HTTP API. It acknowledges an order after the order
is on disk. Orders, positions, account, assets and clock are those of Alpaca's trading
API v2.</p>
<ul>
<li><a href="/schema">The API</a>, and its
<a href="/schema/openapi.json">OpenAPI document</a> for programs</li>
<li><a href="/v2/assets">The instruments</a> and <a href="/v2/prices">their prices</a>,
without a login</li>
<li><a href="/health/ready">The state of this server</a></li>
</ul>
<p>To trade, sign up with <code>POST /auth/register</code> and log in with
<code>POST /auth/login</code>. The README of the repository has a tour with curl and an
example with alpaca-py.</p>
</main>
</body>
</html>
"""


@get("/", media_type=MediaType.HTML, include_in_schema=False)
async def home() -> Response[str]:
    """Return a page for people who open the server's address."""
    return Response(_PAGE, headers=_HEADERS)
