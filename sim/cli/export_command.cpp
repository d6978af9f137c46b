// skiff export RUN.h5 -o FILE.safetensors: the final model of a run, as other tools read models.
//
// Every matrix leaves as outputs x inputs, row-major, under its name; a convolution as outputs x
// (row, column, channel) of its kernel; biases and norms with one dimension. The header's
// __metadata__ says which run it was. A decoder has its config.json beside it, as transformers and
// `skiff eval` read it.
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <limits>

#include "algorithms/models/hf_config.h"
#include "algorithms/models/safetensors.h"
#include "sim/cli/command.h"
#include "sim/core/error.h"
#include "sim/record/run_reader.h"

namespace skiff::cli {
namespace {

namespace po = boost::program_options;

StoredType type_named(const std::string& name) {
  if (name == "f32") return StoredType::kF32;
  if (name == "f16") return StoredType::kF16;
  if (name == "bf16") return StoredType::kBF16;
  throw UsageError(fmt::format("export: --type is f32, f16 or bf16, not \"{}\"", name));
}

Vector vector_of(StoredModel model, const std::string& path) {
  constexpr auto kMost = static_cast<std::uint32_t>(std::numeric_limits<int>::max());
  Layout layout;
  for (const ModelSlice& s : model.slices) {
    if (s.rows > kMost || s.cols > kMost) throw DataError(path, s.name + " is too large");
    layout.add(s.name, static_cast<int>(s.rows), static_cast<int>(s.cols),
               s.by_input ? Order::kInOut : Order::kOutIn);
  }
  Vector weights;
  weights.layout = std::make_shared<const Layout>(std::move(layout));
  weights.values = std::move(model.values);
  return weights;
}

void write_beside(const std::filesystem::path& out, const std::string& config) {
  const std::filesystem::path path = out.parent_path() / "config.json";
  std::ofstream file(path, std::ios::binary);
  file << config << std::flush;
  if (!file) throw RunError(path.string() + ": cannot be written");
}

}  // namespace

int export_verb(const std::vector<std::string>& arguments) {
  po::options_description options;
  options.add_options()("out,o", po::value<std::string>(), "the file; default: beside the run")(
      "type", po::value<std::string>()->default_value("f32"), "of the values: f32, f16, bf16")(
      "quiet,q", "say nothing");
  po::variables_map given;
  if (!parse(verb_named("export"), arguments, options, "file", given)) return kOk;
  const std::vector<std::string> files = words_of(given, "file");
  if (files.size() != 1) throw UsageError("export: which run.h5?");
  const std::filesystem::path run_path = files.front();
  const StoredType type = type_named(given["type"].as<std::string>());
  const std::filesystem::path out = given.count("out") != 0
                                        ? std::filesystem::path(given["out"].as<std::string>())
                                        : run_path.parent_path() / "model.safetensors";
  const RunReader run(run_path);
  Vector weights = vector_of(read_model(run), run_path.string());
  const std::string config = with_half_split(run.text("model_config"), weights);
  write_safetensors(out.string(), weights, type,
                    {{"model", run.text("model")},
                     {"run_id", run.text("run_id")},
                     {"results_sha256", run.text("results_sha256")},
                     {"skiff_version", run.provenance("skiff_version")}});
  if (!config.empty()) write_beside(out, config);
  if (given.count("quiet") == 0) {
    fmt::print("{}: {}, {} tensors, {} bytes\n", out.string(), run.text("model"),
               weights.layout->slices.size(), std::filesystem::file_size(out));
  }
  return kOk;
}

}  // namespace skiff::cli
