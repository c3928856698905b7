"""The rules of FOCUS 1.2, as the validator's published model states them, over CSV rows.

The validator itself is a package of its own; this reads its rule model and applies it with decimal
arithmetic. A rule is a requirement under a condition; composite rules pass their condition on to the
rules that they name, so that "when X is not null, it adheres to" holds.
"""
import csv
import decimal
import gzip
import io
import json
import re

NUMBER = re.compile(r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?(E-?[0-9]+)?$")
INSTANT = re.compile(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$")
UNIT = re.compile(r"^([0-9]+ )?[A-Z][A-Za-z0-9]*(-[A-Z][A-Za-z]*)?(/([0-9]+ )?[A-Z][A-Za-z]*)?$")

# What the model is known to get wrong, and why we stand by our rows.
KNOWN_WRONG = {
    "ConsumedQuantity-C-006-C":
        "asks for a quantity where ChargeClass IS Correction; its sentence says where it is not",
    "CommitmentDiscountCategory-C-005-M":
        "asks for one of the values on every row, also where no commitment discount is",
    "CommitmentDiscountStatus-C-003-C":
        "asks for a status where CommitmentDiscountId is null; its sentence asks for none there",
    "CommitmentDiscountStatus-C-004-C":
        "asks for a status where CommitmentDiscountId IS null; its sentence says where it is not",
    "CommitmentDiscountStatus-C-005-M":
        "asks for one of the values on every row, also where no commitment discount is",
    "InvoiceId-C-004-C":
        "asks for no InvoiceId on any row; its sentence limits that to charges without an invoice",
}


class Rules:
    def __init__(self, model, currencies):
        with gzip.open(model) as file:
            self.rules = json.load(file)["ModelRules"]
        with open(currencies, newline="") as file:
            self.currencies = {cell for row in csv.reader(file) for cell in row
                               if re.fullmatch("[A-Z]{3}", cell)}

    def check(self, text):
        """{rule: (sentence, failing rows)} of everything that MUST hold and does not, and how many
        rules were applied."""
        rows = list(csv.DictReader(io.StringIO(text)))
        rows = [{name: value if value != "" else None for name, value in row.items()} for row in rows]
        self.columns = list(rows[0]) if rows else []
        self.groups = {}
        self.rows = rows
        self.failed = {}
        self.applied = set()
        self.walk("CostAndUsage-D-000-M", rows, ())
        return self.failed, self.applied

    def walk(self, name, rows, above):
        rule = self.rules[name]
        if rule["Status"] != "Active":
            return
        criteria = rule["ValidationCriteria"]
        requirement = criteria["Requirement"]
        condition = criteria["Condition"]
        rows = [row for row in rows if self.holds(condition, row)]
        if rule["Function"] == "Composite":
            for item in self.items(requirement):
                if item["CheckFunction"] == "CheckModelRule":
                    self.walk(item["ModelRuleId"], rows, above + (name,))
            return
        if criteria["Keyword"] not in ("MUST", "MUST NOT") or not requirement:
            return
        self.applied.add(name)
        bad = [row for row in rows if not self.holds(requirement, row)]
        if bad:
            self.failed[name] = (criteria["MustSatisfy"], bad)

    @staticmethod
    def items(requirement):
        return requirement.get("Items", [requirement] if requirement else [])

    def holds(self, check, row):
        if not check:
            return True
        if "CheckFunction" not in check:  # {"AND": ...} in two rules of the model
            inner = check["AND"]
            return all(self.holds(item, row) for item in (inner if isinstance(inner, list) else [inner]))
        function = check["CheckFunction"]
        value = row.get(check.get("ColumnName"))
        if function in ("AND", "OR"):
            return (all if function == "AND" else any)(self.holds(i, row) for i in check["Items"])
        if function == "CheckModelRule":
            criteria = self.rules[check["ModelRuleId"]]["ValidationCriteria"]
            return (not self.holds(criteria["Condition"], row)
                    or self.holds(criteria["Requirement"], row))
        if function == "ColumnPresent":
            return check["ColumnName"] in self.columns
        if function == "CheckValue":
            return self.equal(value, check["Value"])
        if function == "CheckNotValue":
            return not self.equal(value, check["Value"])
        if function in ("CheckSameValue", "CheckNotSameValue"):
            same = row.get(check["ColumnAName"]) == row.get(check["ColumnBName"])
            return same == (function == "CheckSameValue")
        if function == "CheckDistinctCount":
            return self.distinct(check, row)
        if function == "ColumnByColumnEqualsColumnValue":
            a, b, result = (row.get(check[c]) for c in ("ColumnAName", "ColumnBName", "ResultColumnName"))
            with decimal.localcontext() as context:
                context.prec = 200
                return decimal.Decimal(a) * decimal.Decimal(b) == decimal.Decimal(result)
        if value is None:
            return True  # formats speak of values; nullability has rules of its own
        if function == "CheckGreaterOrEqualThanValue":
            return decimal.Decimal(value) >= decimal.Decimal(str(check["Value"]))
        if function in ("TypeDecimal", "FormatNumeric", "CheckDecimalValue"):
            return bool(NUMBER.match(value))
        if function in ("TypeDateTime", "FormatDateTime"):
            return bool(INSTANT.match(value))
        if function in ("TypeString", "FormatString"):
            return value == value.strip() and "\n" not in value
        if function == "FormatUnit":
            return bool(UNIT.match(value))
        if function in ("FormatCurrency", "CheckNationalCurrency"):
            return value in self.currencies
        if function == "FormatKeyValue":
            return isinstance(json.loads(value), dict)
        raise AssertionError(f"the model has a check that this runner does not know: {function}")

    @staticmethod
    def equal(value, wanted):
        if wanted is None or value is None:
            return value is wanted
        if isinstance(wanted, (int, float)):
            return decimal.Decimal(value) == decimal.Decimal(str(wanted))
        return value == wanted

    def distinct(self, check, row):
        a, b = check["ColumnAName"], check["ColumnBName"]
        if (a, b) not in self.groups:
            found = {}
            for one in self.rows:
                if one[a] is not None:
                    found.setdefault(one[a], set()).add(one[b])
            self.groups[a, b] = found
        return row[a] is None or len(self.groups[a, b][row[a]]) == check["ExpectedCount"]
