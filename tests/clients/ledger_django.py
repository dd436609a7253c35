"""PyPI `django-exact` against the sandbox's ledger: the one that relies on `$inlinecount` beside `$top`."""
import json
import sys
import time

import django
from django.conf import settings

with open(sys.argv[1], encoding="utf-8") as file:
    ledger = json.load(file)["ledger"]
settings.configure(
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.sites", "exact"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    EXACT_ONLINE_API_URL=ledger["url"] + "/api",
    EXACT_ONLINE_CLIENT_ID=ledger["client_id"],
    EXACT_ONLINE_CLIENT_SECRET=ledger["client_secret"],
    EXACT_ONLINE_REDIRECT_URI="https://example.com/callback",
    EXACT_ONLINE_DIVISION=int(ledger["division"]),
)
django.setup()
from django.core.management import call_command  # noqa: E402

call_command("migrate", verbosity=0)
from exact.api import DoesNotExist, Exact, ExactException  # noqa: E402
from exact.models import Session  # noqa: E402

Session.objects.create(
    api_url=ledger["url"] + "/api", client_id=ledger["client_id"], client_secret=ledger["client_secret"],
    redirect_uri="https://example.com/callback", access_token=ledger["access_token"], refresh_token=ledger["refresh_token"],
    access_expiry=int(time.time()) + 600)
exact = Exact()

# All items over their pages, each once.
items = list(exact.filter("logistics/Items", filter_string="IsSalesItem eq true", select="ID,Code,Description"))
assert len(items) > 120 and len({item["ID"] for item in items}) == len(items), len(items)

# One row is looked up with `$top=2` and a count; values are those written.
made = exact.accounts.create({"Name": "Django B.V.", "Status": "C", "VATNumber": "", "Country": "NL"})
again = exact.get("crm/Accounts", filter_string="ID eq guid'%s'" % made["ID"], select="ID,Name,Code,Country")
assert again["Name"] == "Django B.V." and again["Country"].strip() == "NL", again
exact.accounts.update(made["ID"], {"Name": "Django 2"})
assert exact.accounts.get(code=again["Code"].strip(), select="ID,Name")["Name"] == "Django 2"
try:
    exact.glaccounts.get(code="no such account", select="ID")
    raise SystemExit("an account that does not exist was found")
except DoesNotExist:
    pass

# What is wrong is refused, with a text.
try:
    exact.create("salesorder/SalesOrders", {"YourRef": "django-1"})
    raise SystemExit("an order without customer and lines was taken")
except ExactException as error:
    assert error.error_message, error
print(f"django-exact (PyPI): {len(items)} items over 3 pages, an account written, a bad order refused")
