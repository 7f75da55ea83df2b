"""Tests of infra/upgrade/plan.py, without AWS: `.local/sam/bin/python -B tests/upgrade/plan_test.py`."""

import pathlib
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "infra/upgrade"))

import main  # noqa: E402
import plan  # noqa: E402


def index(name, key="a"):
    return {"IndexName": name, "KeySchema": [{"AttributeName": key, "KeyType": "HASH"}], "Projection": {}}


def table(*indexes, **more):
    keys = {"pk"} | {part["KeySchema"][0]["AttributeName"] for part in indexes}
    properties = {
        "TableName": "t",
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"} for key in sorted(keys)],
    }
    if indexes:
        properties["GlobalSecondaryIndexes"] = list(indexes)
    return {"Type": plan.TABLE, "DeletionPolicy": "Retain", "Properties": properties, **more}


def template(**resources):
    return {"Resources": resources}


class Indexes(unittest.TestCase):
    def test_one_index_of_each_table_is_added_in_an_update(self):
        old = template(A=table(), B=table(index("x")))
        new = template(A=table(index("i"), index("j", "b")), B=table(index("x"), index("k", "b")))
        rounds = plan.steps(old, new)
        self.assertEqual(rounds, [[("A", "add", "i"), ("B", "add", "k")], [("A", "add", "j")]])
        for step in rounds:
            before, old = old, plan.apply(old, new, step)
            for name in ("A", "B"):
                changed = plan.indexes(before["Resources"][name]).keys() ^ plan.indexes(old["Resources"][name]).keys()
                self.assertLessEqual(len(changed), 1)
        self.assertEqual(old, new)
        self.assertEqual(plan.steps(old, new), [], "an upgrade that is repeated has nothing to do")

    def test_attribute_definitions_are_those_of_the_keys(self):
        old, new = template(A=table()), template(A=table(index("i", "x"), index("j", "y")))
        after = plan.apply(old, new, [("A", "add", "j")])
        defined = after["Resources"]["A"]["Properties"]["AttributeDefinitions"]
        self.assertEqual([part["AttributeName"] for part in defined], ["pk", "y"])
        self.assertEqual(old, template(A=table()), "the deployed template stays as it is")

    def test_deployment_removes_one_index_and_more_are_refused(self):
        old, new = template(A=table(index("i"), index("j"))), template(A=table(index("j")))
        self.assertEqual((plan.steps(old, new), plan.refusals(old, new)), ([], []))
        new = template(A=table())
        self.assertIn("--accept A/i", plan.refusals(old, new)[0])
        self.assertEqual(plan.refusals(old, new, ["A/i"]), [])
        self.assertEqual(plan.steps(old, new, ["A/i"]), [[("A", "remove", "i")]])

    def test_index_with_other_keys_is_rebuilt_only_if_accepted(self):
        old, new = template(A=table(index("i", "x"))), template(A=table(index("i", "y")))
        self.assertIn("Readers fail", plan.refusals(old, new)[0])
        self.assertEqual(plan.steps(old, new), [])
        self.assertEqual(plan.steps(old, new, ["A/i"]), [[("A", "remove", "i")], [("A", "add", "i")]])


class Resources(unittest.TestCase):
    def test_table_that_would_be_deleted_or_replaced_is_refused(self):
        kept, lost = template(A=table()), template(A=table(DeletionPolicy="Delete"))
        self.assertEqual(plan.refusals(kept, template()), [])
        self.assertIn("deleted with its data", plan.refusals(lost, template())[0])
        self.assertEqual(plan.refusals(lost, template(), ["A"]), [])
        renamed = table()
        renamed["Properties"]["TableName"] = "u"
        self.assertIn("another TableName", plan.refusals(kept, template(A=renamed))[0])

    def test_fate_of_removed_resources_is_named(self):
        queue = {"Type": "AWS::SQS::Queue", "Properties": {}}
        role = {"Type": "AWS::IAM::Role", "Properties": {}}
        gone = plan.removed(template(A=table(), Q=queue, R=role), template())
        self.assertEqual(
            [fate for _, _, fate in gone],
            ["stays outside the stack, with its data", "is deleted with the messages that wait in it", "is deleted"],
        )


class Parameters(unittest.TestCase):
    def check(self, old, new, deployed, given, notes, refused):
        found = plan.parameters({"Parameters": old}, {"Parameters": new}, deployed, given)
        self.assertEqual(found[0], notes)
        self.assertEqual(len(found[1]), len(refused), found[1])
        for said, wanted in zip(found[1], refused):
            self.assertIn(wanted, said)

    def test_new_parameter_without_a_value_is_refused(self):
        new = {"A": {"Type": "String"}, "B": {"Type": "String", "Default": "b"}}
        self.check({}, new, {}, {}, ['new parameter B, value "b"'], ["the new parameter A needs a value"])
        self.check({}, new, {}, {"A": "a"}, ['new parameter A, value "a"', 'new parameter B, value "b"'], [])

    def test_deployed_value_that_the_template_does_not_take_is_refused(self):
        old = {"A": {"Type": "String"}}
        new = {"A": {"Type": "String", "AllowedValues": [True, "x"]}}
        self.check(old, new, {"A": "true"}, {}, [], [])
        self.check(old, new, {"A": "y"}, {}, [], ["does not take"])
        self.check(old, new, {"A": "y"}, {"A": "x"}, [], [])
        new = {"A": {"Type": "CommaDelimitedList", "AllowedPattern": "[a-z]+"}}
        self.check(new, new, {"A": "a,b"}, {}, [], [])
        self.check(new, new, {"A": "a,1"}, {}, [], ["does not take"])

    def test_parameter_that_is_gone_is_noted_and_refused_in_samconfig(self):
        self.check({"A": {"Type": "String"}}, {}, {"A": "a"}, {}, ["parameter A is gone"], [])
        self.check({"A": {"Type": "String"}}, {}, {}, {"A": "a"}, [], ["take it out of samconfig.toml"])


class Files(unittest.TestCase):
    def test_shipped_template_is_read_with_short_functions_and_dates_as_text(self):
        shipped = plan.load((ROOT / "infra/template.yaml").read_text())
        self.assertEqual(shipped["AWSTemplateFormatVersion"], "2010-09-09")
        self.assertGreaterEqual(len(plan.tables(shipped)), 7)
        self.assertEqual(plan.load("A: !GetAtt B.Arn\nC: !Sub x"), {"A": {"Fn::GetAtt": ["B", "Arn"]}, "C": {"Fn::Sub": "x"}})
        self.assertEqual(plan.steps(shipped, shipped), [])
        self.assertEqual(plan.refusals(shipped, shipped), [])

    def test_overrides_of_samconfig_are_read(self):
        members = main.section(ROOT / "infra/samconfig.toml", "prod")
        self.assertEqual((members["stack_name"], members["region"]), ("carillon-prod", "eu-central-1"))
        found = main.overrides(members["parameter_overrides"])
        self.assertEqual((found["Environment"], found["SealRetentionMode"]), ("prod", "COMPLIANCE"))
        self.assertEqual(main.overrides(r'A=b C=\"d e\" F='), {"A": "b", "C": "d e", "F": ""})
        self.assertEqual(main.section(ROOT / "infra/samconfig.toml", "none"), {})


if __name__ == "__main__":
    unittest.main()
