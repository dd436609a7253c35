"""PyPI `exactonline` 0.4.0 against the sandbox's ledger: strict about the shapes of answers."""
import json
import sys
import tempfile
import time

from exactonline.api import ExactApi
from exactonline.http import HTTPError, opt_secure
from exactonline.resource import GET, POST
from exactonline.storage.ini import IniStorage

# It allows TLS only unless told otherwise.
opt_secure.protocols = ("http", "https")
opt_secure.verify_cert = False

with open(sys.argv[1], encoding="utf-8") as file:
    ledger = json.load(file)["ledger"]

ini = tempfile.NamedTemporaryFile("w", suffix=".ini", delete=False)
ini.write(f"""[server]
auth_url = {ledger['url']}/api/oauth2/auth
rest_url = {ledger['url']}/api
token_url = {ledger['url']}/api/oauth2/token
[application]
base_url = https://example.com
client_id = {ledger['client_id']}
client_secret = {ledger['client_secret']}
[transient]
access_expiry = {int(time.time()) + 600}
access_token = {ledger['access_token'].replace('%', '%%')}
refresh_token = {ledger['refresh_token'].replace('%', '%%')}
code = none
""")
ini.close()
api = ExactApi(storage=IniStorage(ini.name))

# The division answers.
divisions, current = api.get_divisions()
assert current == int(ledger["division"]) and current in {int(code) for code in divisions}, (divisions, current)
api.storage.set_division(current)

# Items come in pages of 60; the client follows them to the end.
items = api.restv1(GET("logistics/Items?$select=ID,Code&$filter=IsSalesItem+eq+true"))
assert len(items) > 120 and len({item["ID"] for item in items}) == len(items), len(items)

# An account is made, found by its code, changed and deleted.
made = api.relations.create({"Name": "Client & Søn", "Status": "C", "Email": "client@example.com"})
code = made["Code"].strip() if made.get("Code") else api.restv1(GET(f"crm/Accounts?$select=Code&$filter=ID+eq+guid'{made['ID']}'"))[0]["Code"].strip()
found = api.relations.get(relation_code=code)
assert found["ID"] == made["ID"] and found["Name"] == "Client & Søn" and len(found["Code"]) == 18, found
assert api.relations.update(made["ID"], {"Name": "Client two"}) is None
assert api.relations.get(relation_code=code)["Name"] == "Client two"

# A sales order of two pieces, with its line.
item = next(item for item in items if item["Code"] == "SHIP")
order = api.restv1(POST("salesorder/SalesOrders", {
    "OrderedBy": made["ID"], "YourRef": "client-1", "SalesOrderLines": [{"Item": item["ID"], "Quantity": 2, "NetPrice": 12.5}]}))
rows = api.restv1(GET("salesorder/SalesOrders?$select=OrderID,AmountFC,YourRef&$filter=YourRef+eq+'client-1'"))
assert len(rows) == 1 and rows[0]["OrderID"] == order["OrderID"], rows

# What is wrong is refused.
try:
    api.restv1(POST("salesorder/SalesOrders", {"YourRef": "client-2"}))
    raise SystemExit("an order without customer and lines was taken")
except HTTPError as error:
    assert error.code in (400, 500), error.code
print(f"exactonline (PyPI): {len(items)} items over 3 pages, an account and an order written, a bad one refused")
