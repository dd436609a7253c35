"""A second opinion on the sandbox's ledger: every sales document it holds, computed anew from the rules alone.

    python3 tests/oracle.py CONTROL_URL [--rounding per-code|per-line] [--sent FILE]

CONTROL_URL is the sandbox's control API, or a file with the sandbox's first line. Everything is read through
`GET /ledger/SERVICE/ENTITY`. FILE holds what was posted, a JSON object a line, in order:
`{"resource": "salesorder/SalesOrders", "body": {…}, "status": 201, "text": "…", "key": "guid or null"}`. With it, defaults,
overridden taxes and refusals are judged too; without it a tax that differs from the computed one counts as overridden.

Prints one JSON report and ends with 0 when all is equal under the order of rounding it was told, 1 when not, 2 when it
could not judge. Written without a look at the sandbox's code; where the rules are silent, a comment says what was taken.
"""
import datetime
import json
import re
import sys
import urllib.error
import urllib.request
from decimal import ROUND_HALF_UP, Decimal, getcontext

getcontext().prec = 50
ZERO, ONE = Decimal(0), Decimal(1)
# Amounts are doubles on the wire: what is smaller than this is no difference.
TOLERANCE = Decimal("0.0000005")
GUID = re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
# Decimals that a derived price may have been cut to. The rules give none; doubles carry some fifteen digits.
PRICE_TOLERANCE = Decimal("0.00000001")
# The words of these refusals are in no source: any will do.
ANY = ""

KINDS = {
    "salesorder/SalesOrders": dict(key="OrderID", lines="SalesOrderLines", parent="OrderID", customer="OrderedBy", vat="VATAmount",
                                   charges="SalesOrderOrderChargeLines", number="OrderNumber", date="OrderDate"),
    "salesinvoice/SalesInvoices": dict(key="InvoiceID", lines="SalesInvoiceLines", parent="InvoiceID", customer="OrderedBy", vat="VATAmountFC",
                                       charges="SalesInvoiceOrderChargeLines", number=None, date="OrderDate"),
    "salesentry/SalesEntries": dict(key="EntryID", lines="SalesEntryLines", parent="EntryID", customer="Customer", vat="VATAmountFC",
                                    charges=None, number="EntryNumber", date="EntryDate"),
}
STATUS_WORDS = {12: "Open", 20: "Partial", 21: "Complete", 45: "Cancelled"}


def lengths(kind):
    """`YourRef` is claimed for orders and invoices only."""
    most = {"Description": 60, "YourRef": 40, "PaymentReference": 25, "Currency": 3}
    return {field: n for field, n in most.items() if field != "YourRef" or kind["lines"] != "SalesEntryLines"}


def number(value):
    """A JSON number or a text of one, exactly."""
    return None if value is None else value if isinstance(value, Decimal) else Decimal(str(value))


def rounded(amount, unit=Decimal("0.01")):
    """Half away from zero, to whole multiples of a unit."""
    return (amount / unit).quantize(ONE, ROUND_HALF_UP) * unit


def day(text):
    return datetime.date.fromisoformat(str(text)[:10])


class Row(dict):
    """A row that was held; of a long list the sandbox leaves out what is null."""

    def __missing__(self, _name):
        return None


class Books:
    """What the ledger holds, by key and by code."""

    def __init__(self, url):
        self.url, self.tables = url.rstrip("/"), {}

    def rows(self, entity):
        if entity not in self.tables:
            try:
                with urllib.request.urlopen(f"{self.url}/ledger/{entity}", timeout=120) as answer:
                    self.tables[entity] = json.loads(answer.read(), parse_float=Decimal, parse_int=Decimal, object_hook=Row)
            except urllib.error.HTTPError as error:
                if error.code != 404:
                    raise
                self.tables[entity] = []
        return self.tables[entity]

    def by(self, entity, field="ID"):
        index = (entity, field)
        if index not in self.tables:
            self.tables[index] = {str(row[field]).strip().lower(): row for row in self.rows(entity) if row.get(field) is not None}
        return self.tables[index]

    def all(self, entity, field, value):
        """The rows that have a value, found without reading all of them again."""
        index = (entity, field, "all")
        if index not in self.tables:
            self.tables[index] = {}
            for row in self.rows(entity):
                self.tables[index].setdefault(row.get(field), []).append(row)
        return self.tables[index].get(value, [])

    def get(self, entity, value, field="ID"):
        return None if value is None else self.by(entity, field).get(str(value).strip().lower())

    def vat_code(self, code):
        return self.get("vat/VATCodes", code, "Code")

    def percentage(self, code, on):
        """The share of tax of a code on a day: its table with dates leads, `Percentage` says the same for today."""
        for row in code.get("VATPercentages") or []:
            starts, ends = row.get("StartDate"), row.get("EndDate")
            if number(row.get("Type") or 0) == 0 and (not starts or day(starts) <= on) and (not ends or on <= day(ends)):
                return number(row["Percentage"])
        return number(code.get("Percentage") or 0)

    def home(self):
        """The company's currency: what exchange rates lead to."""
        targets = {row["TargetCurrency"] for row in self.rows("financial/ExchangeRates")}
        return targets.pop() if len(targets) == 1 else "EUR"

    def rate(self, currency, on):
        if currency == self.home():
            return ONE
        rows = [row for row in self.rows("financial/ExchangeRates") if row["SourceCurrency"] == currency
                and (not row.get("StartDate") or day(row["StartDate"]) <= on)]
        return number(max(rows, key=lambda row: str(row.get("StartDate") or ""))["Rate"]) if rows else None

    def unit(self, currency):
        row = self.get("general/Currencies", currency, "Code") or {}
        return number(row.get("AmountPrecision")) or Decimal("0.01")

    def condition_of(self, account):
        return self.get("cashflow/PaymentConditions", (account or {}).get("PaymentConditionSales"), "Code")

    def revenue(self, item):
        group = self.get("logistics/ItemGroups", item.get("ItemGroup")) or {}
        return item.get("GLRevenue") or group.get("GLRevenue")

    def period_open(self, journal, year, period):
        """None: there is no such period."""
        known = any(row["FinYear"] == year and row["FinPeriod"] == period for row in self.rows("financial/FinancialPeriods"))
        if not known:
            return None
        return not any(row["Journal"] == journal and row["Year"] == year and row["Period"] == period and row["Status"] == 1
                       for row in self.rows("read/financial/JournalStatusList"))


class Amount:
    """One line or charge: its share of the document, by VAT code."""

    def __init__(self, way, share, own, given_tax, unit):
        # `own` is what the code's type takes the price for: gross under I, net under all others.
        self.way, self.share, self.own, self.given = way, share if way in "EI" else ZERO, own, given_tax
        self.tax = given_tax if given_tax is not None else tax_of(way, self.share, own, unit)
        self.net = own - self.tax if way == "I" else own
        self.gross = own if way == "I" else own + self.tax


def tax_of(way, share, own, unit):
    if way == "I":
        return rounded(own * share / (ONE + share), unit)
    return rounded(own * share, unit) if way == "E" else ZERO


def totals(amounts, order, unit):
    """Incl. and excl. VAT of the whole document. Given taxes stand as they are in both orders."""
    if order == "per-line":
        return sum((a.gross for a in amounts), ZERO), sum((a.net for a in amounts), ZERO)
    gross = net = ZERO
    groups = {}
    for a in amounts:
        if a.given is None:
            groups.setdefault((a.code, a.way, a.share), []).append(a.own)
        else:
            gross, net = gross + a.gross, net + a.net
    for (_, way, share), owns in groups.items():
        own = sum(owns, ZERO)
        tax = tax_of(way, share, own, unit)
        gross, net = gross + (own if way == "I" else own + tax), net + (own - tax if way == "I" else own)
    return gross, net


class Judge:
    def __init__(self, books, sent):
        self.books, self.sent = books, sent
        self.different, self.overrides, self.today = {"both": [], "per-code": [], "per-line": []}, 0, None

    def note(self, entity, key, field, held, expected, order="both"):
        text = [str(v) if isinstance(v, Decimal) else v for v in (held, expected)]
        self.different[order].append(dict(entity=entity, key=key, field=field, held=text[0], expected=text[1]))

    def same(self, where, row, field, expected, order="both", tolerance=TOLERANCE):
        held = row.get(field)
        if isinstance(expected, Decimal):
            equal = held is not None and abs(number(held) - expected) <= tolerance
        else:
            equal = held == expected
        if not equal:
            self.note(*where, field, held, expected, order)

    def holds(self, where, field, held, truth, expected):
        if not truth:
            self.note(*where, field, held, expected)

    # ---- what every document has ----

    def references(self, where, row, table):
        for field, (entity, by) in table.items():
            value = row.get(field)
            self.holds(where, field, value, value is None or self.books.get(entity, value, by) is not None, f"one of {entity}")

    def common(self, kind, entity, row):
        where = (entity, row[kind["key"]])
        self.holds(where, kind["key"], row[kind["key"]], GUID.match(row[kind["key"]]), "a guid in lower case, without braces")
        self.references(where, row, {
            kind["customer"]: ("crm/Accounts", "ID"), "DeliverTo": ("crm/Accounts", "ID"), "InvoiceTo": ("crm/Accounts", "ID"),
            "Currency": ("general/Currencies", "Code"), "PaymentCondition": ("cashflow/PaymentConditions", "Code"),
            "ShippingMethod": ("sales/ShippingMethods", "ID"), "Journal": ("financial/Journals", "Code"),
            "WarehouseID": ("inventory/Warehouses", "ID"), "Warehouse": ("inventory/Warehouses", "ID"),
            "DeliveryAddress": ("crm/Addresses", "ID"), "DeliverToAddress": ("crm/Addresses", "ID")})
        account = self.books.get("crm/Accounts", row.get(kind["customer"])) or {}
        self.holds(where, kind["customer"], account.get("Status"), account.get("Status") == "C", "an account of status C")
        name = "CustomerName" if kind["customer"] == "Customer" else "OrderedByName"
        self.same(where, row, name, account.get("Name"))
        condition = self.books.get("cashflow/PaymentConditions", row.get("PaymentCondition"), "Code")
        self.holds(where, "PaymentCondition", row.get("PaymentCondition"), condition, "a payment condition")
        self.same(where, row, "PaymentConditionDescription", (condition or {}).get("Description"))
        for field, most in lengths(kind).items():
            self.holds(where, field, row.get(field), len(row.get(field) or "") <= most, f"at most {most} characters")
        for field in [f for f in row if f.endswith("Date") or f in ("Created", "Modified")]:
            value = row[field]
            shape = value is None or re.match(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?$", value)
            self.holds(where, field, value, shape, "an ISO date")
            if field.endswith("Date") and value and shape:
                self.holds(where, field, value, value.endswith("T00:00:00"), "midnight")
        lines = row.get(kind["lines"]) or []
        self.holds(where, kind["lines"], len(lines), lines, "at least one line")
        self.holds(where, "LineNumber", [str(l["LineNumber"]) for l in lines], len({l["LineNumber"] for l in lines}) == len(lines), "each its own")
        for line in lines:
            self.same(where, line, kind["parent"], row[kind["key"]])
            self.references(where, line, {
                "Item": ("logistics/Items", "ID"), "VATCode": ("vat/VATCodes", "Code"), "GLAccount": ("financial/GLAccounts", "ID"),
                "CostCenter": ("hrm/Costcenters", "Code"), "CostUnit": ("hrm/Costunits", "Code"), "UnitCode": ("logistics/Units", "Code"),
                "Project": ("project/Projects", "ID")})
        return where, account, condition

    # ---- lines ----

    def price(self, where, kind, line, given, header):
        """The price after discount, by what was sent; without a record of that, by what is held."""
        held = number(line["NetPrice"])
        if given is None:
            derived = number(line["UnitPrice"] or 0) * (ONE - number(line["Discount"] or 0))
            # A derived discount is cut somewhere: a hundred-thousandth of the price is allowed for that.
            self.holds(where, "NetPrice", str(held), abs(derived - held) <= Decimal("0.0001") + abs(held) / 10**5, f"UnitPrice less Discount, {derived}")
            return held
        net, unit, discount = (number(given.get(f)) for f in ("NetPrice", "UnitPrice", "Discount"))
        if net is None:
            base = unit if unit is not None else self.list_price(line, header, kind)
            net = base * (ONE - (discount or ZERO))
            self.same(where, line, "UnitPrice", base)
        elif unit is not None:
            self.same(where, line, "UnitPrice", unit)
        elif not discount:
            self.same(where, line, "UnitPrice", net)
        self.same(where, line, "NetPrice", net, tolerance=PRICE_TOLERANCE)
        base = number(line["UnitPrice"])
        if base:
            self.same(where, line, "Discount", (base - net) / base, tolerance=Decimal("0.00001"))
        return net

    def list_price(self, line, header, kind):
        """Agreement of the customer, else the normal price: the row of the greatest minimum quantity that is reached.

        A minimum of one, the least there is, binds nobody: half a metre has a price too."""
        on, best = day(header[kind["date"]]), {}
        for row in self.books.all("logistics/SalesItemPrices", "Item", line["Item"]):
            starts, ends, least = row.get("StartDate"), row.get("EndDate"), number(row.get("Quantity") or 0)
            if least > max(ONE, abs(number(line["Quantity"]))) or row.get("Currency") not in (None, header["Currency"]):
                continue
            if (starts and day(starts) > on) or (ends and on > day(ends)) or row.get("Account") not in (None, header[kind["customer"]]):
                continue
            rank = (row.get("Account") is not None, least, str(starts or ""))
            best = max(best, {rank: number(row["Price"]) / (number(row.get("NumberOfItemsPerUnit")) or ONE)}, key=lambda b: max(b) if b else ())
        return max(best.values()) if best else ZERO

    def way_of(self, where, kind, header, line, account, given):
        """The line's VAT code and share: given, else the customer's, else the item's, else the G/L account's."""
        item = self.books.get("logistics/Items", line.get("Item")) or {}
        ledger_account = self.books.get("financial/GLAccounts", line.get("GLAccount")) or {}
        if given is not None:
            code = str(given["VATCode"]).strip() if given.get("VATCode") else None
            if kind["lines"] != "SalesEntryLines":
                code = code or account.get("SalesVATCode") or item.get("SalesVatCode")
            self.same(where, line, "VATCode", code or ledger_account.get("VATCode"))
        code = self.books.vat_code(line.get("VATCode"))
        if code is None:
            return "N", ZERO
        share = self.books.percentage(code, day(header[kind["date"]]))
        if kind["lines"] == "SalesEntryLines" and header["Status"] == 50 and given is None:
            # A printed invoice is booked later at the percentage that its lines were made with.
            share = number(line["VATPercentage"] or 0)
        self.same(where, line, "VATCodeDescription", code["Description"])
        self.same(where, line, "VATPercentage", share)
        return code["Type"], share

    def line(self, where, kind, header, line, account, given, unit, sign):
        way, share = self.way_of(where, kind, header, line, account, given)
        tax_field, held_tax = kind["vat"], number(line[kind["vat"]])
        if kind["lines"] == "SalesEntryLines":
            # `AmountFC` of a booking is without VAT whatever the code's type.
            way = "E" if way == "I" else way
            own = rounded(number(given["AmountFC"]), unit) if given is not None else number(line["AmountFC"])
        else:
            item = self.books.get("logistics/Items", line["Item"]) or {}
            self.same(where, line, "ItemCode", item.get("Code"))
            if given is not None:
                self.same(where, line, "Quantity", number(given.get("Quantity", ONE)))
            own = rounded(number(line["Quantity"]) * self.price(where, kind, line, given, header), unit) * sign
        tax = number(given.get(tax_field)) if given is not None else None
        amount = Amount(way, share, own, rounded(tax, unit) if tax is not None else None, unit)
        if given is None and abs(held_tax - amount.tax) > TOLERANCE:
            self.overrides += 1
            amount = Amount(way, share, own, held_tax, unit)
        amount.code = line.get("VATCode")
        self.same(where, line, "AmountFC", amount.net)
        self.same(where, line, tax_field, amount.tax)
        return amount

    def charge(self, where, kind, header, row, given, unit):
        code = self.books.vat_code(row.get("VATCode"))
        way = code["Type"] if code else "N"
        share = self.books.percentage(code, day(header[kind["date"]])) if code else ZERO
        share = share if way in "EI" else ZERO
        net, gross = number(row["AmountFCExclVAT"]), number(row["AmountFCInclVAT"])
        if given is not None:
            net, gross = number(given.get("AmountFCExclVAT")), number(given.get("AmountFCInclVAT"))
            net, gross = (None if v is None else rounded(v, unit) for v in (net, gross))
        if net is not None:
            # Excl. leads also where both are given: the other one is computed.
            expected = net + rounded(net * share, unit)
            self.same(where, row, "AmountFCExclVAT", net)
            if given is not None:
                self.same(where, row, "AmountFCInclVAT", expected)
        elif gross is not None:
            self.same(where, row, "AmountFCInclVAT", gross)
            self.same(where, row, "AmountFCExclVAT", gross - rounded(gross * share / (ONE + share), unit))
        net, gross = number(row["AmountFCExclVAT"]), number(row["AmountFCInclVAT"])
        self.same(where, row, "AmountVATFC", gross - net)
        self.same(where, row, "VATPercentage", share if code else None)
        amount = Amount(way, share, gross if way == "I" else net, None, unit)
        amount.code = row.get("VATCode")
        return amount

    # ---- documents ----

    def document(self, entity, kind, row):
        where, account, condition = self.common(kind, entity, row)
        body = self.sent.get(row[kind["key"]])
        unit, on = self.books.unit(row["Currency"]), day(row[kind["date"]])
        home_unit = self.books.unit(self.books.home())
        rate = number(row["Rate"]) if row.get("Rate") is not None else self.books.rate(row["Currency"], on)
        if rate is None:
            self.note(*where, "Currency", row["Currency"], "a currency with an exchange rate")
            return
        if kind["lines"] == "SalesEntryLines":
            expected = number((body or {}).get("Rate")) or self.books.rate(row["Currency"], on)
            self.same(where, row, "Rate", expected if body is not None or expected is None else rate)
        lines, given = row[kind["lines"]], [None] * len(row[kind["lines"]])
        if body is not None:
            given = body[kind["lines"]]
            self.holds(where, kind["lines"], len(lines), len(lines) == len(given), f"{len(given)} lines")
            self.defaults(where, kind, row, body, account)
        # A credit note's sign is not documented: the one that is held is taken.
        credit = kind["lines"] == "SalesInvoiceLines" and row.get("Type") in (8021, 8024)
        held = sum((number(l["AmountFC"]) for l in lines), ZERO)
        natural = sum((number(l.get("Quantity") or 0) * number(l.get("NetPrice") or 0) for l in lines), ZERO)
        sign = -ONE if credit and held * natural < 0 else ONE
        amounts = [self.line(where, kind, row, line, account, g, unit, sign) for line, g in zip(lines, given)]
        charges = row.get(kind["charges"]) or [] if kind["charges"] else []
        given = (body.get(kind["charges"]) or []) if body is not None and kind["charges"] else [None] * len(charges)
        self.holds(where, kind["charges"], len(charges), len(charges) == len(given), f"{len(given)} charges")
        amounts += [self.charge(where, kind, row, charge, g, unit) for charge, g in zip(charges, given)]
        for child in lines + charges:
            base = child["AmountFC"] if "AmountFC" in child else child["AmountFCExclVAT"]
            self.same(where, child, "AmountDC", rounded(number(base) * rate, home_unit))
            if child.get("VATAmountDC") is not None:
                self.same(where, child, "VATAmountDC", rounded(number(child["VATAmountFC"]) * rate, home_unit))
        if kind["lines"] == "SalesEntryLines":
            self.booked(where, row)
        if kind["lines"] == "SalesEntryLines" and row["Status"] == 50 and body is None:
            self.printed(where, row)
        else:
            for order in ("per-code", "per-line"):
                self.header(where, kind, row, body, totals(amounts, order, unit), (unit, home_unit, rate), order)
        {"SalesOrderLines": self.order, "SalesInvoiceLines": self.invoice, "SalesEntryLines": self.entry}[kind["lines"]](where, row, body, condition)

    def header(self, where, kind, row, body, total, units, order):
        (gross, net), (unit, home_unit, rate) = total, units
        if kind["lines"] != "SalesEntryLines":
            # A header discount is one discount in three forms: a share of the total, and that share of both totals.
            given = body if body is not None else row
            share = incl = excl = None
            if given.get("Discount"):
                share = number(given["Discount"])
            elif given.get("AmountDiscount") and gross:
                incl = number(given["AmountDiscount"])
                share = incl / gross
            elif given.get("AmountDiscountExclVat") and net:
                excl = number(given["AmountDiscountExclVat"])
                share = excl / net
            if share is not None:
                incl = rounded(gross * share if incl is None else incl, unit)
                excl = rounded(net * share if excl is None else excl, unit)
                # What leads is exact; how the two that follow from it are rounded is said nowhere.
                lead = "AmountDiscount" if not given.get("Discount") and given.get("AmountDiscount") else "AmountDiscountExclVat"
                for field, off in (("AmountDiscount", incl), ("AmountDiscountExclVat", excl)):
                    exact = not given.get("Discount") and field == lead
                    self.same(where, row, field, off, order, TOLERANCE if exact else unit + TOLERANCE)
                gross, net = gross - number(row["AmountDiscount"]), net - number(row["AmountDiscountExclVat"])
            self.same(where, row, "AmountFCExclVat", net, order)
        self.same(where, row, "AmountFC", gross, order)
        self.same(where, row, "AmountDC", rounded(gross * rate, home_unit), order)
        if "VATAmountFC" in row:
            self.same(where, row, "VATAmountFC", gross - net, order)
            self.same(where, row, "VATAmountDC", rounded((gross - net) * rate, home_unit), order)

    def defaults(self, where, kind, row, body, account):
        for field, value in body.items():
            if field in row and not isinstance(value, list) and field not in ("AmountFC", "AmountDC", "VATAmountFC", "InvoiceNumber", "VATAmountDC"):
                held = row[field]
                if isinstance(held, Decimal) and value is not None and not isinstance(value, bool):
                    self.same(where, row, field, number(value))
                elif field.endswith("Date"):
                    self.same(where, row, field, str(value)[:10] + "T00:00:00")
                elif isinstance(value, str) and isinstance(held, str):
                    self.holds(where, field, held, held.strip().lower() == value.strip().lower(), value)
        if not body.get("Currency"):
            self.same(where, row, "Currency", self.books.home())
        if not body.get("PaymentCondition") and self.books.condition_of(account):
            self.same(where, row, "PaymentCondition", account["PaymentConditionSales"])
        if "InvoiceTo" in row:
            payer = account.get("InvoiceAccount") or account.get("ID")
            self.same(where, row, "InvoiceTo", str(body.get("InvoiceTo") or payer).lower())
            self.same(where, row, "DeliverTo", str(body.get("DeliverTo") or account.get("ID")).lower())
        if not body.get(kind["date"]) and self.today:
            self.same(where, row, kind["date"], self.today + "T00:00:00")

    def order(self, where, row, body, _condition):
        lines = row["SalesOrderLines"]
        for status, done in (("DeliveryStatus", "QuantityDelivered"), ("InvoiceStatus", "QuantityInvoiced")):
            for line in lines:
                wanted, had = number(line["Quantity"]), number(line[done] or 0)
                expected = Decimal(12) if not had else Decimal(21) if abs(had) >= abs(wanted) else Decimal(20)
                # The rest of a line may have been given up for good; nothing that is shown tells it.
                if number(line[status]) not in (21, 45) or expected == 21:
                    self.same(where, line, status, expected)
            states = {int(line[status]) for line in lines}
            expected = states.pop() if len(states) == 1 else 20
            self.same(where, row, status, Decimal(expected))
            self.same(where, row, status + "Description", STATUS_WORDS[expected])
        both = {int(row["DeliveryStatus"]), int(row["InvoiceStatus"])}
        if len(both) == 1:
            self.same(where, row, "Status", Decimal(both.pop()))
        self.same(where, row, "StatusDescription", STATUS_WORDS.get(int(row["Status"])))
        self.holds(where, "ApprovalStatus", str(row["ApprovalStatus"]), row["ApprovalStatus"] in (0, 1, 2), "0, 1 or 2")
        account = self.books.get("crm/Accounts", row["OrderedBy"]) or {}
        if body is not None:
            start = day(row["OrderDate"]) + datetime.timedelta(days=int(account.get("ShippingLeadDays") or 0))
            if not body.get("DeliveryDate"):
                self.same(where, row, "DeliveryDate", f"{start}T00:00:00")
            for line, given in zip(lines, body["SalesOrderLines"]):
                self.same(where, line, "DeliveryDate", given["DeliveryDate"][:10] + "T00:00:00" if given.get("DeliveryDate") else row["DeliveryDate"])
        address = self.books.get("crm/Addresses", row.get("DeliveryAddress"))
        if address:
            self.holds(where, "DeliveryAddress", address["Account"], address["Account"] in (row["DeliverTo"], row["OrderedBy"]), "an address of the account")

    def invoice(self, where, row, body, condition):
        journal = self.books.get("financial/Journals", row["Journal"], "Code") or {}
        self.holds(where, "Journal", str(journal.get("Type")), journal.get("Type") in (20, 21), "a journal of type 20 or 21")
        self.holds(where, "Type", str(row["Type"]), row["Type"] in (8020, 8021, 8023, 8024), "8020, 8021, 8023 or 8024")
        self.holds(where, "Warehouse", row["Warehouse"], (row["Warehouse"] is not None) == (row["Type"] in (8023, 8024)), "set on direct invoices only")
        self.holds(where, "Status", str(row["Status"]), row["Status"] in (10, 20, 50), "10, 20 or 50")
        printed = row["Status"] == 50
        self.holds(where, "InvoiceNumber", str(row["InvoiceNumber"]), (row["InvoiceNumber"] is not None) == printed, "set by printing")
        self.holds(where, "InvoiceDate", row["InvoiceDate"], (row["InvoiceDate"] is not None) == printed, "set by printing")
        if body is not None and not body.get("Type"):
            self.same(where, row, "Type", Decimal(8020))
        for line, given in zip(row["SalesInvoiceLines"], (body or {}).get("SalesInvoiceLines") or [{}] * len(row["SalesInvoiceLines"])):
            item = self.books.get("logistics/Items", line["Item"])
            if item and body is not None and not given.get("GLAccount"):
                self.same(where, line, "GLAccount", self.books.revenue(item))
            self.cost(where, line)
        if condition and not (body or {}).get("DueDate"):
            due = day(row["InvoiceDate"] or row["OrderDate"]) + datetime.timedelta(days=int(condition.get("PaymentDays") or 0))
            self.same(where, row, "DueDate", f"{due}T00:00:00")

    def entry(self, where, row, body, condition):
        journal = self.books.get("financial/Journals", row["Journal"], "Code") or {}
        self.holds(where, "Journal", str(journal.get("Type")), journal.get("Type") in (20, 21), "a sales journal")
        total = number(row["AmountFC"])
        self.same(where, row, "Type", Decimal(21 if total < 0 else 20))
        self.holds(where, "Status", str(row["Status"]), row["Status"] in (20, 50), "20 or 50")
        on = day(row["EntryDate"])
        if body is not None and not body.get("ReportingYear"):
            self.same(where, row, "ReportingYear", Decimal(on.year))
            self.same(where, row, "ReportingPeriod", Decimal(on.month))
        if condition and not (body or {}).get("DueDate"):
            due = on + datetime.timedelta(days=int(condition.get("PaymentDays") or 0))
            self.same(where, row, "DueDate", f"{due}T00:00:00")
        for line in row["SalesEntryLines"]:
            account = self.books.get("financial/GLAccounts", line["GLAccount"]) or {}
            self.holds(where, "GLAccount", str(account.get("Type")), account.get("Type") not in (20, 24), "no receivables or VAT account")
            self.same(where, line, "GLAccountCode", account.get("Code"))
            self.cost(where, line)

    def booked(self, where, row):
        """Double entry: what an entry puts on the accounts comes to nothing in both currencies, and is owed by the customer."""
        made = self.books.all("financialtransaction/TransactionLines", "EntryID", row["EntryID"])
        self.holds(where, "TransactionLines", str(len(made)), len(made) >= 2, "at least two")
        for field in ("AmountFC", "AmountDC"):
            total = sum((number(line[field]) for line in made), ZERO)
            self.holds(where, "TransactionLines." + field, str(total), abs(total) <= TOLERANCE, "a sum of 0")
        due = self.books.all("cashflow/Receivables", "EntryID", row["EntryID"])
        self.holds(where, "Receivables", str(len(due)), len(due) == 1, "1")
        for debt in due:
            if not debt.get("IsFullyPaid"):
                self.same(where, debt, "AmountFC", number(row["AmountFC"]))
                self.same(where, debt, "DueDate", row["DueDate"])

    def printed(self, where, row):
        """The entry of a printed invoice comes to what the invoice does, discount and charges included."""
        invoices = self.books.all("salesinvoice/SalesInvoices", "InvoiceNumber", row["InvoiceNumber"])
        self.holds(where, "InvoiceNumber", str(row["InvoiceNumber"]), len(invoices) == 1, "the number of one printed invoice")
        for invoice in invoices:
            # The sign of credit notes is not documented.
            for field in ("AmountFC", "VATAmountFC"):
                self.same(where, {field: abs(number(row[field]))}, field, abs(number(invoice[field])))
            self.same(where, invoice, "Status", Decimal(50))
            self.same(where, invoice, "InvoiceDate", row["EntryDate"])

    def cost(self, where, line):
        account = self.books.get("financial/GLAccounts", line["GLAccount"]) or {}
        for use, field in (("UseCostcenter", "CostCenter"), ("UseCostunit", "CostUnit")):
            wanted = {1: True, 2: False}.get(int(account.get(use) or 0))
            self.holds(where, field, line[field], wanted is None or (line[field] is not None) == wanted, "set" if wanted else "empty")


class Door:
    """What must be refused, by the rules, in the order in which it was sent."""

    def __init__(self, books, today):
        self.books, self.used, self.today = books, {}, today

    def trouble(self, resource, body):
        """Words of which one must be in the refusal; empty: it must be taken."""
        kind, words = KINDS[resource], []
        known = {name for row in self.books.rows(resource)[:1] for name in row}
        lines = body.get(kind["lines"])
        if known - {""} and any(name not in known for name in body):
            return ["is not valid"]
        if lines is not None and not isinstance(lines, list):
            return ["Error processing request stream"]
        words += self.customer(kind, body) + self.terms(kind, body)
        if not lines:
            words.append("Verplicht")
        on = day(body[kind["date"]]) if body.get(kind["date"]) else day(self.today)
        for line in lines or []:
            words += self.line(kind, body, line, on)
        if kind["number"] and body.get(kind["number"]) is not None and number(body[kind["number"]]) in self.used.get(resource, ()):
            words.append("estaat reeds" if resource == "salesorder/SalesOrders" else "in gebruik")
        words += {"salesinvoice/SalesInvoices": self.invoice, "salesentry/SalesEntries": self.entry}.get(resource, lambda *_: [])(body, on)
        return words

    def customer(self, kind, body):
        words = []
        if not body.get(kind["customer"]):
            words.append("Verplicht")
        for field in (kind["customer"], "DeliverTo", "InvoiceTo"):
            account = self.books.get("crm/Accounts", body.get(field))
            if body.get(field) and account is None:
                words.append("Ongeldige referentie")
            elif account and field == kind["customer"]:
                inactive = (account.get("EndDate") and account["EndDate"][:10] < self.today) or (account.get("StartDate") or "")[:10] > self.today
                if account.get("Status") != "C":
                    words.append("Ongeldig: Klant (Type)")
                if account.get("Blocked") or inactive:
                    words.append(ANY)
        return words

    def terms(self, kind, body):
        words = []
        for field, entity, by in (("PaymentCondition", "cashflow/PaymentConditions", "Code"), ("ShippingMethod", "sales/ShippingMethods", "ID"),
                                  ("WarehouseID", "inventory/Warehouses", "ID"), ("DeliveryAddress", "crm/Addresses", "ID")):
            if body.get(field) and self.books.get(entity, body[field], by) is None:
                words.append("Ongeldige referentie")
        address = self.books.get("crm/Addresses", body.get("DeliveryAddress"))
        if address and address["Account"] not in (str(body.get("DeliverTo") or body.get("OrderedBy")).lower(), str(body.get("OrderedBy")).lower()):
            words.append("Ongeldig")
        currency = body.get("Currency")
        if currency and (self.books.get("general/Currencies", currency, "Code") is None or self.books.rate(currency, day(body.get(kind["date"]) or self.today)) is None):
            words.append(ANY)
        words += ["Ongeldig" for field, most in lengths(kind).items() if len(body.get(field) or "") > most]
        return words

    def line(self, kind, body, line, on):
        words = []
        if kind["lines"] == "SalesEntryLines":
            account = self.books.get("financial/GLAccounts", line.get("GLAccount"))
            if not line.get("GLAccount") or line.get("AmountFC") is None:
                words.append("Verplicht")
            elif account is None:
                words.append("Ongeldige referentie")
            if account and account["Type"] in (20, 24):
                words.append("Ongeldig: Grootboekrekeningtype")
        else:
            item = self.books.get("logistics/Items", line.get("Item"))
            account = None
            if not line.get("Item"):
                words.append("Verplicht")
            elif item is None:
                words.append("Ongeldige referentie")
            else:
                account = self.books.get("financial/GLAccounts", line.get("GLAccount") or self.books.revenue(item))
                starts, ends = item.get("StartDate"), item.get("EndDate")
                if not item["IsSalesItem"] or not starts or starts[:10] > self.today or (ends and ends[:10] < self.today):
                    words.append("Ongeldig")
                if number(line.get("Quantity", ONE)) % 1 and not item["IsFractionAllowedItem"]:
                    words.append("Ongeldig")
        if account and kind["lines"] != "SalesOrderLines":
            for use, field in (("UseCostcenter", "CostCenter"), ("UseCostunit", "CostUnit")):
                words += ["Verplicht"] if account[use] == 1 and not line.get(field) else ["Ongeldig"] if account[use] == 2 and line.get(field) else []
        for field, entity in (("CostCenter", "hrm/Costcenters"), ("CostUnit", "hrm/Costunits"), ("UnitCode", "logistics/Units")):
            if line.get(field) and self.books.get(entity, line[field], "Code") is None:
                words.append("Ongeldige referentie")
        return words + self.vat(line, on)

    def vat(self, line, on):
        if not line.get("VATCode"):
            return []
        code = self.books.vat_code(line["VATCode"])
        if code is None:
            return ["Ongeldige referentie"]
        words = ["Ongeldig"] if code.get("IsBlocked") or code.get("VATTransactionType") == "P" else []
        share = number(line.get("VATPercentage"))
        if share and share != self.books.percentage(code, on):
            words.append("BTW percentage is niet toegestaan")
        return words

    def invoice(self, body, _on):
        journal, kind = self.books.get("financial/Journals", body.get("Journal"), "Code"), int(body.get("Type") or 8020)
        words = ["Ongeldige referentie"] if body.get("Journal") and journal is None else []
        words += ["Ongeldig"] if journal and journal["Type"] not in (20, 21) else []
        words += ["Ongeldig"] if kind not in (8020, 8021, 8023, 8024) or (kind in (8020, 8021) and body.get("Warehouse")) else []
        return words + (["Verplicht"] if kind in (8023, 8024) and not body.get("Warehouse") else [])

    def entry(self, body, on):
        journal = self.books.get("financial/Journals", body.get("Journal"), "Code")
        if not body.get("Journal"):
            return ["Verplicht"]
        if journal is None:
            return ["Ongeldige referentie"]
        words = ["Ongeldig: Dagboek"] if journal["Type"] not in (20, 21) else []
        year, period = number(body.get("ReportingYear") or on.year), number(body.get("ReportingPeriod") or on.month)
        is_open = self.books.period_open(body["Journal"], year, period)
        return words + ([] if is_open else [f"Periode is afgesloten: {year} - {period}" if is_open is not None else "eriode"])


def judge_door(books, log, today, judge):
    door, taken = Door(books, today), {entity: books.by(entity, kind["key"]) for entity, kind in KINDS.items()}
    agreed = 0
    for place, call in enumerate(log):
        resource, body = call["resource"], call["body"]
        words = door.trouble(resource, body)
        refused = int(call["status"]) >= 400
        where = (resource, f"sent {place + 1}")
        if refused != bool(words):
            judge.note(*where, "status", f"{call['status']} {call.get('text') or ''}".strip()[:300], f"refused: {words}" if words else "taken")
        elif refused and not any(word in call.get("text", "") for word in words):
            judge.note(*where, "text", call.get("text", "")[:300], words)
        else:
            agreed += 1
        row = taken[resource].get(str(call.get("key")).lower())
        if not refused and row is None:
            judge.note(*where, KINDS[resource]["key"], call.get("key"), "held after it was taken")
        if row is not None and KINDS[resource]["number"]:
            door.used.setdefault(resource, set()).add(row[KINDS[resource]["number"]])
    return agreed


def main(arguments):
    options = dict(zip(arguments[1::2], arguments[2::2]))
    order = options.pop("--rounding", "per-code")
    sent_file = options.pop("--sent", None)
    if not arguments or options or len(arguments) % 2 == 0 or order not in ("per-code", "per-line"):
        print(__doc__, file=sys.stderr)
        return 2
    url = arguments[0]
    if not url.startswith("http"):
        with open(url, encoding="utf-8") as file:
            url = json.load(file)["control"]["url"]
    log = []
    if sent_file:
        with open(sent_file, encoding="utf-8") as file:
            log = [json.loads(text, parse_float=Decimal, parse_int=Decimal) for text in file if text.strip()]
    books = Books(url)
    judge = Judge(books, {str(call["key"]).lower(): call["body"] for call in log if call.get("key")})
    judge.today = str(max((day(row["Created"]) for entity in KINDS for row in books.rows(entity)), default=datetime.date.today()))
    agreed = judge_door(books, log, judge.today, judge) if log else 0
    documents = 0
    for entity, kind in KINDS.items():
        numbers = [row[kind["number"]] for row in books.rows(entity)] if kind["number"] else []
        for twice in {n for n in numbers if numbers.count(n) > 1}:
            judge.note(entity, str(twice), kind["number"], "more than once", "once")
        for row in books.rows(entity):
            documents += 1
            judge.document(entity, kind, row)
    different = judge.different["both"] + judge.different[order]
    wrong = {(d["entity"], d["key"]) for d in different}
    held = sum(1 for entity, key in wrong if not key.startswith("sent "))
    report = {"documents": documents, "equal": documents - held, "sent": len(log), "agreed": agreed, "overrides": judge.overrides, "different": different,
              "rounding": {"told": order, **{name: len(judge.different[name]) for name in ("per-code", "per-line")}}}
    print(json.dumps(report, ensure_ascii=False, indent=1, default=str))
    return 1 if different else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (OSError, ValueError, KeyError) as error:
        print(f"the oracle could not judge: {type(error).__name__}: {error}", file=sys.stderr)
        sys.exit(2)
