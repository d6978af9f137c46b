"""scenarios/schema.json, as editors use it: shipped scenarios pass, broken ones do not."""
import copy
import json
import pathlib
import unittest

import jsonschema
import yaml

SCENARIOS = pathlib.Path(__file__).resolve().parents[2] / "scenarios"
FIRST_LINE = "# yaml-language-server: $schema=schema.json"


def shipped():
    return sorted(SCENARIOS.glob("*.yaml"))


def load(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


class SchemaTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.schema = json.loads((SCENARIOS / "schema.json").read_text(encoding="utf-8"))
        cls.validator = jsonschema.Draft7Validator(cls.schema)

    def errors(self, scenario):
        return [f"{list(e.absolute_path)}: {e.message[:120]}"
                for e in self.validator.iter_errors(scenario)]

    def quickstart(self, section, **changes):
        scenario = copy.deepcopy(load(SCENARIOS / "quickstart.yaml"))
        scenario[section].update(changes)
        return scenario

    def test_it_is_a_schema(self):
        jsonschema.Draft7Validator.check_schema(self.schema)

    def test_shipped_scenarios_are_valid(self):
        self.assertGreater(len(shipped()), 5)
        for path in shipped():
            with self.subTest(path.name):
                self.assertEqual(self.errors(load(path)), [])

    def test_shipped_scenarios_name_the_schema_first(self):
        for path in shipped():
            with self.subTest(path.name):
                first = path.read_text(encoding="utf-8").splitlines()[0]
                self.assertEqual(first, FIRST_LINE)

    def test_what_every_scenario_needs(self):
        for key in ("seed", "data", "devices", "server", "training"):
            with self.subTest(key):
                scenario = load(SCENARIOS / "quickstart.yaml")
                del scenario[key]
                self.assertNotEqual(self.errors(scenario), [])

    def test_mistakes_are_seen(self):
        for section, changes in (
                ("data", {"source": "glyph"}),
                ("data", {"sampels": 3}),
                ("data", {"test_fraction": 0.95}),
                ("data", {"partition": {"scheme": "dirichlet"}}),
                ("data", {"partition": {"scheme": "iid", "alpha": 1}}),
                ("model", {"hidden": 200}),
                ("model", {"architecture": "mpl"}),
                ("devices", {"memory_limit": "foregroud"}),
                ("devices", {"memory_limit": 4}),
                ("devices", {"network": {"upload": {"normal": "5 Mbps"}}}),
                ("server", {"deadline": 10}),
                ("server", {"deadline": "10 Mbps"}),
                ("server", {"participants": "some"}),
                ("server", {"protocol": "fedbuff"}),
                ("server", {"over_selection": 0.5}),
                ("server", {"stop": {"upload": "4gb"}}),
                ("training", {"optimizer": "sgd"}),
                ("training", {"optimizer": {"name": "sgd"}}),
                ("training", {"method": {"name": "fedavg", "mu": 0.1}}),
                ("training", {"heuristic": ["everything"]}),
                ("compression", {"communication": {"name": "top-k", "density": 10,
                                                   "error_feedback": True}}),
                ("compression", {"pruning": {"name": "gptq", "sparsity": 0.5,
                                             "structure": "channel"}}),
        ):
            with self.subTest(section=section, **changes):
                self.assertNotEqual(self.errors(self.quickstart(section, **changes)), [])

    def test_what_is_legal_passes(self):
        for section, changes in (
                ("devices", {"memory_limit": "30%"}),
                ("devices", {"memory_limit": "4 GB"}),
                ("devices", {"network": {"upload": {"lognormal": {"median": "5 Mbps",
                                                                   "sigma": 0.6}}}}),
                ("server", {"participants": "all"}),
                ("server", {"deadline": "none"}),
                ("server", {"stop": {"target": {"test_accuracy": "97%"}}}),
                ("training", {"batch": "full"}),
                ("training", {"method": {"name": "fedprox", "mu": 0.1}}),
                ("compression", {"pruning": {"name": "wanda", "sparsity": "50%",
                                             "structure": "2-of-4"}}),
        ):
            with self.subTest(section=section, **changes):
                self.assertEqual(self.errors(self.quickstart(section, **changes)), [])

    def test_who_extends_writes_only_what_differs(self):
        self.assertEqual(self.errors({"extends": "quickstart.yaml"}), [])
        self.assertEqual(self.errors({"extends": "quickstart.yaml", "compression": None,
                                      "server": {"rounds": 3}}), [])
        self.assertNotEqual(self.errors({"extends": "quickstart.yaml",
                                         "server": {"rouns": 3}}), [])

    def test_keys_explain_themselves(self):
        properties = self.schema["else"]["properties"]
        for name, about in properties.items():
            with self.subTest(name):
                self.assertIn("description", about)


if __name__ == "__main__":
    unittest.main()
