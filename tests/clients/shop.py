"""PyPI `woocommerce` against the sandbox's shop."""
import json
import sys
from decimal import Decimal

from woocommerce import API

with open(sys.argv[1], encoding="utf-8") as file:
    shop = json.load(file)["shop"]
api = API(url=shop["url"], consumer_key=shop["key"], consumer_secret=shop["secret"], version="wc/v3")

# Three pages hold every order once.
ids = []
for page in (1, 2, 3):
    answer = api.get("orders", params={"per_page": 20, "page": page, "orderby": "id", "order": "asc"})
    assert answer.status_code == 200, answer.text
    assert answer.headers["X-WP-Total"] == "60" and answer.headers["X-WP-TotalPages"] == "3", answer.headers
    ids += [order["id"] for order in answer.json()]
assert len(ids) == 60 and len(set(ids)) == 60 and ids == sorted(ids), ids

# An order adds up and is found again.
order = api.get(f"orders/{ids[0]}", params={"dp": 6}).json()
lines = order["line_items"] + order["shipping_lines"] + order["fee_lines"]
net = sum(round(Decimal(line["total"]) + Decimal("1e-9"), 2) for line in lines)
assert net + Decimal(order["total_tax"]) == Decimal(order["total"]), order["total"]
found = api.get("orders", params={"search": order["billing"]["email"], "_fields": "id"}).json()
assert {"id": order["id"]} in found, found

# A write is partial, and what was made can be changed and thrown away.
sku = api.get("products", params={"type": "simple", "per_page": 1}).json()[0]["sku"]
made = api.post("orders", {"billing": {"country": "NL"}, "line_items": [{"sku": sku, "quantity": 2}], "created_via": "a-key"})
assert made.status_code == 201 and made.json()["line_items"][0]["sku"] == sku, made.text
new = made.json()["id"]
changed = api.put(f"orders/{new}", {"meta_data": [{"key": "k", "value": "ü/1"}]}).json()
assert changed["meta_data"][0]["value"] == "ü/1" and changed["total"] == made.json()["total"], changed
assert [row["id"] for row in api.get("orders", params={"created_via": "a-key"}).json()] == [new]
batch = api.post("orders/batch", {"update": [{"id": new, "customer_note": "n"}, {"id": 99999999}]}).json()["update"]
assert batch[0]["customer_note"] == "n" and batch[1]["error"]["data"]["status"] == 400, batch
assert api.delete(f"orders/{new}", params={"force": True}).status_code == 200
assert api.get(f"orders/{new}").status_code == 404

# What is wrong is refused in the shop's words.
refused = api.get("orders", params={"per_page": 101})
assert refused.status_code == 400 and refused.json()["code"] == "rest_invalid_param", refused.text
wrong = API(url=shop["url"], consumer_key=shop["key"], consumer_secret="cs_wrong", version="wc/v3").get("orders")
assert wrong.status_code == 401 and wrong.json()["code"] == "woocommerce_rest_authentication_error", wrong.text
print("woocommerce (PyPI): 60 orders over 3 pages, writes and refusals as the real shop's")
