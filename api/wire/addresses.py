"""E-mail addresses: one spelling for each person, and no lookalikes.

A new address has ASCII before the @, and its domain in the ASCII form of IDNA. Older
versions accepted more, and claimed an address as it was typed. Those users still sign
in, so a look-up also tries the address as typed, and its domain in Unicode.
"""

import unicodedata

import email_validator
from email_validator import EmailNotValidError, validate_email

from api.http.request_errors import BadParameter

ADDRESS_LENGTH_MAX = 254

# No mail server is asked, so a name of a private network is as good as any other. The
# library documents this list as one to edit.
email_validator.SPECIAL_USE_DOMAIN_NAMES.clear()


def address_of(typed: str) -> str:
    """Return the one spelling of an address that a new user may have (rule USER-08).

    >>> address_of("ada@EXÄMPLE.org")
    'ada@xn--exmple-cua.org'

    Raises:
        BadParameter: it is no address, or a character in it is invisible or confusable.
    """
    return _both_forms(typed)[0]


def spellings(typed: str) -> tuple[str, ...]:
    """Return the spellings under which users may have claimed an address.

    Older versions took two spellings for two people, so more than one user may answer
    to them. The password says which one signs in.

    >>> spellings("ada@example.org")
    ('ada@example.org',)
    """
    try:
        forms = _both_forms(typed)
    except BadParameter:
        forms = ()
    return tuple(dict.fromkeys((typed, *forms)))


def _both_forms(typed: str) -> tuple[str, str]:
    """Return the address with its domain in ASCII and in Unicode."""
    # First: the library reads every character of an address more than once.
    if len(typed) > ADDRESS_LENGTH_MAX:
        raise _refusal(f"It has more than {ADDRESS_LENGTH_MAX} characters.")
    try:
        parts = validate_email(typed, allow_smtputf8=False, check_deliverability=False)
    except EmailNotValidError as reason:
        # The sentence may quote a character that nobody would see.
        visible = str(reason).encode("ascii", "backslashreplace").decode()
        raise _refusal(visible) from None
    domain = unicodedata.normalize("NFC", typed.rpartition("@")[2].lower())
    # IDNA drops invisible characters and replaces lookalikes such as fullwidth letters.
    if domain not in (parts.ascii_domain, parts.domain):
        raise _refusal(f'Write the part after the @ as "{parts.ascii_domain}".')
    local = parts.local_part
    return f"{local}@{parts.ascii_domain}", f"{local}@{parts.domain}"


def _refusal(reason: str) -> BadParameter:
    return BadParameter(
        f"email must be an address like ada@example.org. {reason}", "email"
    )
