// skiff export: a run's final model, read again by numpy and by skiff itself.
#include <gmock/gmock.h>

#include "tests/cli/program.h"

namespace skiff::test {
namespace {

using ::testing::HasSubstr;

class Export : public ProgramTest {
 protected:
  // Both orders of matrices, convolutions, norms and biases.
  static constexpr const char* kResnet = R"(seed: 1
data:     {source: glyphs, clients: 3, samples_per_client: 10, partition: {scheme: iid}}
model:    {architecture: resnet, widths: [4, 6], groups: 2}
devices:  {population: {iphone-15-pro: 1}}
server:   {protocol: synchronous, participants: 3, rounds: 1}
training: {steps: 2, batch: 5, optimizer: {name: sgd, learning_rate: 0.1}}
)";
  void run_it(const std::string& text, const std::string& out = "out") {
    write("a.yaml", text);
    const Said said = run({"run", "a.yaml", "-q", "--no-figures", "--out", out});
    ASSERT_EQ(said.code, 0) << said.err;
  }
  std::string checked(const std::string& file, const std::string& type) {
    const std::string script = from_environment("SKIFF_SOURCE", ".") + "/tests/cli/check_export.py";
    const std::string command = "cd '" + folder_.string() + "' && /usr/bin/python3 '" + script +
                                "' out/run.h5 " + file + " " + type + " > said.txt 2>&1";
    const int status = std::system(command.c_str());
    EXPECT_EQ(status, 0);
    return text_of(folder_ / "said.txt");
  }
};

TEST_F(Export, NumpyReadsTheSameModelAsTheRunHolds) {
  run_it(kResnet);
  const Said said = run({"export", "out/run.h5"});
  ASSERT_EQ(said.code, 0) << said.err;
  EXPECT_THAT(said.out, HasSubstr("out/model.safetensors: "));
  EXPECT_EQ(checked("out/model.safetensors", "f32"), "20 tensors agree\n");
  ASSERT_EQ(run({"export", "out/run.h5", "-o", "b.safetensors", "--type", "bf16", "-q"}).code, 0);
  EXPECT_EQ(checked("b.safetensors", "bf16"), "20 tensors agree\n");
}

TEST_F(Export, MistakesAreNamed) {
  EXPECT_THAT(run({"export"}).err, HasSubstr("export: which run.h5?"));
  write("no.h5", "text");
  EXPECT_EQ(run({"export", "no.h5"}).code, 1);
  run_it(std::string(kResnet) + "record: {final_model: false}\n");
  const Said none = run({"export", "out/run.h5"});
  EXPECT_EQ(none.code, 1);
  EXPECT_THAT(none.err, HasSubstr("holds no final model"));
  EXPECT_THAT(run({"export", "out/run.h5", "--type", "f8"}).err,
              HasSubstr("--type is f32, f16 or bf16, not \"f8\""));
}

}  // namespace
}  // namespace skiff::test
