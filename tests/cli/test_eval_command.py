"""skiff eval: the loss of a known model on known stories, from outside the program."""
import json
import os
import pathlib
import subprocess
import unittest

HOME = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get("SKIFF_BINARY", HOME / "build/release/skiff"))
DATA = pathlib.Path(os.environ.get("SKIFF_DATA", "/nowhere")) / "llama2c"


def evaluate(*words):
    done = subprocess.run([str(PROGRAM), "eval", *map(str, words)], env={**os.environ, "SKIFF_HOME": str(HOME)},
                          capture_output=True, text=True, timeout=600, check=False)
    return done.returncode, done.stdout, done.stderr


@unittest.skipUnless(PROGRAM.exists(), f"no program at {PROGRAM}")
class EvalTest(unittest.TestCase):
    @unittest.skipUnless(DATA.is_dir(), "no llama2c in $SKIFF_DATA")
    def test_the_loss_on_a_hundred_stories(self):
        code, said, problems = evaluate(DATA / "stories260K.bin", "--data", DATA / "eval_tinystories_100.txt", "--first",
                                        "--tokenizer", DATA / "tok512.bin", "--json")
        self.assertEqual((code, problems), (0, ""))
        found = json.loads(said)
        self.assertEqual(found["tokens"], 44_293)
        self.assertAlmostEqual(found["loss"], 1.368790, delta=2e-4)
        self.assertAlmostEqual(found["perplexity"], 3.9306, delta=1e-3)
        self.assertAlmostEqual(found["next_token_accuracy"], 0.622943, delta=1e-4)

    def test_what_is_not_there_is_said(self):
        code, said, problems = evaluate("/nowhere/model.bin", "--data", "/nowhere/text.txt")
        self.assertEqual((code, said), (1, ""))
        self.assertIn("/nowhere", problems)


if __name__ == "__main__":
    unittest.main()
