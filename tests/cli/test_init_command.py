"""skiff init from outside the program: what it writes runs at once, and what does not go together leaves no file."""
import os
import pathlib
import subprocess
import tempfile
import unittest

HOME = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get("SKIFF_BINARY", HOME / "build/release/skiff"))
FIRST = ("first", "--quantization", "4bit", "--pruning", "sparse-proxskip", "--lora", "rank=16")


@unittest.skipUnless(PROGRAM.exists(), f"no program at {PROGRAM}")
class InitTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)

    def skiff(self, *words):
        done = subprocess.run([str(PROGRAM), *words], cwd=self.folder, env={**os.environ, "SKIFF_HOME": str(HOME)},
                              capture_output=True, text=True, timeout=120, check=False)
        return done.returncode, done.stdout, done.stderr

    def test_what_it_writes_says_what_was_asked_and_runs(self):
        code, said, problems = self.skiff("init", *FIRST)
        self.assertEqual((code, problems), (0, ""))
        self.assertIn("skiff run first.yaml", said)
        text = (self.folder / "first.yaml").read_text(encoding="utf-8")
        for part in ("skiff init " + " ".join(FIRST), "{name: higgs, bits: 4,", "{name: sparse-proxskip, sparsity: 0.5,",
                     "{name: lora, rank: 16, alpha: 16,", "participants: all", "# What a client does in a round"):
            self.assertIn(part, text)
        self.assertNotIn("epochs", text)  # the method draws its local steps
        code, said, problems = self.skiff("run", "first.yaml", "--no-figures", "--set", "server.rounds=3")
        self.assertEqual(code, 0, problems)
        self.assertRegex(said, r"accepted 60, late 0, refused 0")

    def test_every_kind_of_model_gets_a_scenario_that_runs(self):
        cases = (("--model", "cnn", "--communication", "top-k"),
                 ("--model", "mlp", "--pruning", "wanda,60%", "--quantization", "nf4"),  # both with samples of the server
                 ("--model", "mobilellm-125m", "--lora", "rac-lora", "--quantization", "pv-tuning,3bit,steps=2"),
                 ("--model", "vit-b-16"), ("--model", "bert-base", "--optimizer", "adam-8bit"), ("--model", "gboard-cifg"),
                 ("--model", "mlp", "--pruning", "fedp3", "--planner", "tiers"),
                 ("--quantization", "4bit", "--pruning", "magnitude", "--lora", "rank=8", "--planner", "tiers"))
        for i, words in enumerate(cases):
            with self.subTest(words):
                code, _, problems = self.skiff("init", f"case{i}", *words)
                self.assertEqual((code, problems), (0, ""))
                code, said, problems = self.skiff("run", f"case{i}.yaml", "--no-figures", "--set", "server.rounds=1")
                self.assertEqual(code, 0, problems)
                self.assertIn("round 1/1", said + problems)

    def test_a_first_model_learns(self):
        self.assertEqual(self.skiff("init", "plain", "--model", "logistic-regression")[0], 0)
        code, said, problems = self.skiff("run", "plain.yaml", "--no-figures", "--set", "server.rounds=15")
        self.assertEqual(code, 0, problems)
        best = float(said.split("best ")[1].split()[0])
        self.assertGreater(best, 0.4)  # 0.1 by chance

    def test_a_file_that_is_there_is_left_alone(self):
        file = self.folder / "mine.yaml"
        file.write_text("kept\n", encoding="utf-8")
        for name in ("mine", "mine.yaml"):
            code, _, problems = self.skiff("init", name)
            self.assertEqual(code, 2)
            self.assertIn("is there already", problems)
            self.assertEqual(file.read_text(encoding="utf-8"), "kept\n")

    def test_stdout_writes_no_file_and_says_the_same(self):
        code, said, problems = self.skiff("init", *FIRST, "--stdout")
        self.assertEqual((code, problems), (0, ""))
        self.assertEqual(list(self.folder.iterdir()), [])
        self.assertIn("name: sparse-proxskip", said)

    def test_what_does_not_go_together_leaves_no_file_but_its_reason(self):
        cases = ((("--pruning", "sparse-proxskip", "--optimizer", "adamw"), "gradients only for plain SGD", "optimizer"),
                 (("--lora", "rac-lora", "--communication", "ef21"), "added in another's", "space"),
                 (("--pruning", "bonsai,structure=channel", "--method", "scaffold"), "kept vectors have the full model's shapes", None),
                 (("--pruning", "sparse-proxskip", "--method", "fedprox"), "one of them", None))
        for words, reason, heuristic in cases:
            with self.subTest(words):
                code, _, problems = self.skiff("init", "bad", *words)
                self.assertEqual(code, 2)
                self.assertIn(reason, problems)
                self.assertFalse((self.folder / "bad.yaml").exists())
                if heuristic:
                    self.assertIn(f"[{heuristic}]", problems)
                    code, said, _ = self.skiff("init", "bad", *words, "--heuristic", heuristic, "--stdout")
                    self.assertEqual(code, 0)
                    self.assertIn(f"heuristic: [{heuristic}]", said)

    def test_mistakes_are_told(self):
        for words, part in (((), "one name"), (("a", "b"), "one name"),
                            (("a", "--model", "lama-3-8b"), 'did you mean "llama-3-8b"'),
                            (("a", "--quantization", "higs"), 'did you mean "higgs"'),
                            (("a", "--quantization", "4bit,8bit"), "bits twice"),
                            (("a", "--quantization", "higgs,nf4"), "one of them"),
                            (("a", "--quantization", "[4]"), "plain words"),
                            (("a", "--optimizer", "learning_rate=1"), "which?"),
                            (("a", "--planner", "tiers"), "add --quantization"),
                            (("a", "--devices", "iphone=1"), "unknown class"),
                            (("a", "--lora", "rank=0"), "rank"),
                            (("a", "--data", "text,path=none.txt"), "not found")):
            with self.subTest(words):
                code, _, problems = self.skiff("init", *words)
                self.assertEqual(code, 2)
                self.assertIn(part, problems)
                self.assertEqual(list(self.folder.iterdir()), [])

    def test_the_list_has_every_word(self):
        code, said, _ = self.skiff("init", "--list")
        self.assertEqual(code, 0)
        for word in ("higgs", "wanda", "rac-lora", "microadam", "scaffold", "top-k", "tiers", "glyphs"):
            self.assertIn(word, said.split())


if __name__ == "__main__":
    unittest.main()
