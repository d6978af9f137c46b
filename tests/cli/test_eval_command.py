"""skiff eval: the loss of a known model on known stories, from outside the program."""
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

HOME = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get("SKIFF_BINARY", HOME / "build/release/skiff"))
DATA = pathlib.Path(os.environ.get("SKIFF_DATA", "/nowhere")) / "llama2c"
# Steps too small to be seen: what is exported is the model that was loaded.
SMALL_STEP = f"""seed: 1
data:     {{source: text, path: {DATA}/eval_tinystories_100.txt, separator: "<|endoftext|>", tokenizer: {DATA}/tok512.bin, sequence_length: 32, clients: 2, partition: {{scheme: iid}}}}
model:    {{checkpoint: {DATA}/stories260K.bin}}
devices:  {{population: {{iphone-15-pro: 1}}}}
server:   {{protocol: synchronous, participants: 2, rounds: 1}}
training: {{steps: 1, batch: 2, optimizer: {{name: sgd, learning_rate: 1.0e-9}}}}
evaluation: {{samples: 4}}
"""


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

    @unittest.skipUnless(DATA.is_dir(), "no llama2c in $SKIFF_DATA")
    def test_what_a_run_exports_is_the_model_that_it_ended_with(self):
        with tempfile.TemporaryDirectory() as folder:
            scenario = pathlib.Path(folder, "a.yaml")
            scenario.write_text(SMALL_STEP, encoding="utf-8")
            for words in (["run", scenario, "-q", "--no-figures", "--out", folder], ["export", f"{folder}/run.h5"]):
                subprocess.run([str(PROGRAM), *map(str, words)], env={**os.environ, "SKIFF_HOME": str(HOME)},
                               check=True, capture_output=True, timeout=600)
            config = json.loads(pathlib.Path(folder, "config.json").read_text(encoding="utf-8"))
            self.assertEqual((config["model_type"], config["hidden_size"], config["vocab_size"]), ("llama", 64, 512))
            code, said, problems = evaluate(f"{folder}/model.safetensors", "--data", DATA / "eval_tinystories_100.txt",
                                            "--first", "--tokenizer", DATA / "tok512.bin", "--json")
        self.assertEqual((code, problems), (0, ""))
        self.assertAlmostEqual(json.loads(said)["loss"], 1.368790, delta=2e-4)

    def test_what_is_not_there_is_said(self):
        code, said, problems = evaluate("/nowhere/model.bin", "--data", "/nowhere/text.txt")
        self.assertEqual((code, said), (1, ""))
        self.assertIn("/nowhere", problems)


if __name__ == "__main__":
    unittest.main()
