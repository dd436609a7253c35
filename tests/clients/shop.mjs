// npm `@woocommerce/woocommerce-rest-api` against the sandbox's shop.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(join(process.cwd(), "target", "clients", "package.json"));
const WooCommerceRestApi = require("@woocommerce/woocommerce-rest-api").default;
const { shop } = JSON.parse(readFileSync(process.argv[2], "utf8"));
const api = new WooCommerceRestApi({ url: shop.url, consumerKey: shop.key, consumerSecret: shop.secret, version: "wc/v3" });

// Three pages hold every order once.
const ids = new Set();
for (const page of [1, 2, 3]) {
  const answer = await api.get("orders", { per_page: 20, page });
  assert.equal(answer.status, 200);
  assert.equal(answer.headers["x-wp-total"], "60");
  answer.data.forEach((order) => ids.add(order.id));
}
assert.equal(ids.size, 60);

// Values: amounts are texts with two decimals, letters come through.
const { data: orders } = await api.get("orders", { per_page: 1, status: "completed" });
assert.match(orders[0].total, /^\d+\.\d\d$/);
assert.equal(orders[0].status, "completed");
const changed = await api.put(`orders/${orders[0].id}`, { customer_note: "Straße & é" });
assert.equal(changed.data.customer_note, "Straße & é");

// A new customer, a second one with the same address is refused.
const customer = await api.post("customers", { email: "node@example.com", first_name: "Node" });
assert.equal(customer.status, 201);
await assert.rejects(api.post("customers", { email: "NODE@example.com" }), (error) => {
  assert.equal(error.response.status, 400);
  assert.equal(error.response.data.code, "registration-error-email-exists");
  return true;
});
assert.equal((await api.delete(`customers/${customer.data.id}`, { force: true })).status, 200);
console.log("@woocommerce/woocommerce-rest-api (npm): 60 orders over 3 pages, writes and refusals as the real shop's");
