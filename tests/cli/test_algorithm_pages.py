"""algorithms/*/README.md say what the registry says; one command writes them anew."""
import os
import pathlib
import sys
import unittest

HOME = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get("SKIFF_BINARY", HOME / "build/release/skiff"))
sys.path.insert(0, str(HOME / "analysis"))

from skiff_analysis import algorithm_pages  # noqa: E402

ONE = {"name": "halve", "family": "communication", "planned": False, "summary": "half of | everything",
       "paper": "Nobody 2024, arXiv:2401.00001", "verified": "", "deviates": "sends all of it",
       "parameters": [{"name": "share", "type": "fraction", "range": "0..1", "required": True, "help": "a | b"}]}


class AlgorithmPagesTest(unittest.TestCase):
    @unittest.skipUnless(PROGRAM.exists(), f"no program at {PROGRAM}")
    def test_no_page_is_missing_or_out_of_date(self):
        texts = algorithm_pages.pages(algorithm_pages.algorithms(str(PROGRAM), HOME), HOME)
        self.assertGreaterEqual(len(texts), 4)
        stale = [str(path) for path, text in texts.items()
                 if not path.exists() or path.read_text(encoding="utf-8") != text]
        self.assertFalse(stale, "run: PYTHONPATH=analysis python3 -m skiff_analysis.algorithm_pages build/release/skiff")

    def test_what_was_written_by_hand_stays(self):
        first = algorithm_pages.page("communication", [ONE], "")
        self.assertIn("[arXiv:2401.00001](https://arxiv.org/abs/2401.00001)", first)
        self.assertIn("| `share` | fraction | 0..1 | required | a \\| b |", first)
        self.assertIn("Deviates: sends all of it.", first)
        by_hand = first.replace("# Communication", "Ours.\n# Communication") + "\nA figure.\n"
        self.assertEqual(algorithm_pages.page("communication", [ONE], by_hand), by_hand)
        changed = algorithm_pages.page("communication", [{**ONE, "summary": "a third"}], by_hand)
        self.assertNotEqual(changed, by_hand)
        self.assertTrue(changed.startswith("Ours.\n") and changed.endswith("A figure.\n"))

    def test_what_does_not_run_yet_has_no_page(self):
        self.assertEqual(algorithm_pages.by_folder([{**ONE, "planned": True}]), {})


if __name__ == "__main__":
    unittest.main()
