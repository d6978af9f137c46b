// skiff compress CHECKPOINT --quantization 'higgs, bits=4' -o FOLDER: prunes, then quantizes the
// layers of a checkpoint and writes what comes out, with a report.
//
// What compresses is written as in a scenario, {name: higgs, bits: 4}, or shorter: higgs, bits=4.
// Each may be given several times, with other `targets`; they work in the order written.
// Tensors stay in the file until they are treated, one after another. With --calibration the texts
// of a file (the first --samples of them) are what a method may learn from; with --data the loss is
// measured before and after. FOLDER then holds model.safetensors, compression.json, and
// config.json and the tokenizer of the original: `skiff eval FOLDER` reads it.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "algorithms/calibration.h"
#include "algorithms/compressor.h"
#include "algorithms/quantization/linearity.h"
#include "algorithms/stored_checkpoint.h"
#include "sim/cli/command.h"
#include "sim/cli/compress_report.h"
#include "sim/cli/language_model.h"
#include "sim/core/parallel.h"
#include "sim/core/registry.h"
#include "sim/scenario/protocol.h"
#include "sim/scenario/yaml.h"

namespace fs = std::filesystem;

namespace skiff::cli {
namespace {

namespace po = boost::program_options;
using Json = nlohmann::ordered_json;

// "higgs, bits=4, targets=[q_proj, v_proj]" as {name: higgs, bits: 4, targets: [q_proj, v_proj]}.
std::string flow_text(const std::string& written) {
  if (written.starts_with("{")) return written;
  std::string text = "{name: ";
  int depth = 0;
  for (const char c : written) {
    depth += (c == '[' || c == '{') - (c == ']' || c == '}');
    text += c == '=' && depth == 0 ? ": " : std::string(1, c);
  }
  return text + "}";
}

using Words = std::vector<std::string>;

Chosen<Compressor> chosen(const std::string& option, const std::string& written) {
  Chosen<Compressor> compressor;
  std::vector<Problem> problems;
  const Node node = parse_yaml(flow_text(written), "--" + option, problems);
  if (!problems.empty()) throw ScenarioError(std::move(problems));
  Reader reader;
  convert(node, compressor, Rules{}, reader);
  reader.throw_if_any();
  const auto* entry = Registry<Compressor>::instance().find(compressor.name);
  if (entry->about.family != option) {
    throw UsageError(fmt::format("compress: {} is for --{}", compressor.name, entry->about.family));
  }
  return compressor;
}

// A line that is written over on a terminal.
class Line {
 public:
  explicit Line(std::size_t of) : of_(of), terminal_(isatty(STDERR_FILENO) == 1) {}
  ~Line() { clear(); }
  void read(const std::string& name) {
    if (!terminal_) return;
    clear();
    fmt::print(stderr, "{:>5} of {}  {}", std::min(++done_, of_), of_, name);
    std::fflush(stderr);
  }
  void clear() const {
    if (terminal_) fmt::print(stderr, "\r\033[K");
  }

 private:
  std::size_t done_ = 0, of_;
  bool terminal_;
};

struct Work {
  CheckpointPtr checkpoint;
  std::unique_ptr<LanguageModel> language;  // if a text is read
  std::shared_ptr<const Llama> architecture;
  std::unique_ptr<Text> calibration_text, data;
  std::unique_ptr<Calibration> calibration;
  LayoutPtr layout;
};

Work prepare(const po::variables_map& given, const std::string& path) {
  Work work;
  if (given.count("calibration") == 0 && given.count("data") == 0) {
    work.checkpoint = open_checkpoint(path);
    if (compression_beside(*work.checkpoint)) {
      throw DataError(path, "is compressed already; compress the original");
    }
    work.layout = checkpoint_layout(*work.checkpoint);
    return work;
  }
  const std::string tokenizer =
      given.count("tokenizer") != 0 ? given["tokenizer"].as<std::string>() : "";
  work.language = std::make_unique<LanguageModel>(load_language_model("compress", path, tokenizer));
  work.checkpoint = work.language->checkpoint;
  if (work.language->compression) {
    throw DataError(path, "is compressed already; compress the original");
  }
  const auto text = [&](const char* option, bool first) {
    return std::make_unique<Text>(
        read_text("compress", *work.language, given[option].as<std::string>(),
                  given["separator"].as<std::string>(), given["sequence-length"].as<int>(), first));
  };
  if (given.count("data") != 0) work.data = text("data", given.count("first") != 0);
  if (given.count("calibration") != 0) work.calibration_text = text("calibration", true);
  int length = 1;
  for (const Text* t : {work.data.get(), work.calibration_text.get()}) {
    if (t != nullptr) length = std::max(length, t->sequence_length);
  }
  work.architecture = work.language->architecture(length);
  work.layout = work.architecture->layout();
  if (work.calibration_text != nullptr) {
    std::vector<std::uint32_t> rows = work.calibration_text->rows;
    rows.resize(std::min(rows.size(), static_cast<std::size_t>(given["samples"].as<int>())));
    work.calibration =
        std::make_unique<Calibration>(*work.architecture, work.calibration_text->samples, rows);
  }
  return work;
}

void compress(Model& model, const Chosen<Compressor>& chosen, const Work& work,
              std::uint64_t seed) {
  if (chosen.object->needs_calibration() && work.calibration == nullptr) {
    throw UsageError(
        fmt::format("compress: {} learns from texts; give --calibration FILE", chosen.name));
  }
  State memory;
  chosen.object->compress(model, work.calibration.get(), memory,
                          Stream(seed, "compress." + chosen.name));
}

// By the linearity theorem: loss + sum of slope times error, errors as they came out.
void predict(Json& out, const Work& work, const Model& before, const Model& after,
             std::uint64_t seed) {
  const std::vector<double> slopes =
      loss_slopes(*work.calibration, before, changed_tensors(before, after), {},
                  Stream(seed, "compress.slopes"));
  double loss = out["loss_before"].get<double>();
  for (std::size_t i = 0; i < slopes.size(); ++i) {
    Json& layer = out["layers"][i];
    layer["slope"] = slopes[i];
    loss += slopes[i] * layer["error"].get<double>();
  }
  out["loss_predicted"] = loss;
}

void add_losses(Json& out, const po::variables_map& given, const Work& work, const Model& before,
                const Model& after) {
  if (work.data == nullptr) return;
  out["loss_before"] = mean_loss(*work.architecture, decoded(before), *work.data);
  if (given.count("predict") != 0) {
    predict(out, work, before, after, given["seed"].as<std::uint64_t>());
  }
  out["loss"] = mean_loss(*work.architecture, decoded(after), *work.data);
}

void copy_beside(const std::string& checkpoint, const std::string& folder) {
  const fs::path from =
      fs::is_directory(checkpoint) ? fs::path(checkpoint) : fs::path(checkpoint).parent_path();
  for (const auto& entry : fs::directory_iterator(from.empty() ? fs::path(".") : from)) {
    const std::string name = entry.path().filename().string();
    if (name != "config.json" && !(name.starts_with("tok") && name.ends_with(".bin"))) continue;
    std::error_code error;
    if (fs::equivalent(entry.path(), fs::path(folder) / name, error)) continue;
    fs::copy_file(entry.path(), fs::path(folder) / name, fs::copy_options::overwrite_existing,
                  error);
    if (error) throw RunError(fmt::format("{}: {}", entry.path().string(), error.message()));
  }
}

po::options_description options() {
  po::options_description all;
  const char* none = "";
  all.add_options()("pruning", po::value<Words>()->composing(), "such as 'wanda, sparsity=50%'")(
      "quantization", po::value<Words>()->composing(),
      "such as 'higgs, bits=4'; may be repeated, for other targets")(
      "output,o", po::value<std::string>(), "the folder to write")(
      "calibration", po::value<std::string>(), "a text that methods may learn from")(
      "samples", po::value<int>()->default_value(128), "of it: texts, the first of the file")(
      "data", po::value<std::string>(), "a text to measure the loss on, before and after")(
      "first", "of it: only the first window of each text")(
      "predict", "the loss that the linearity theorem predicts; needs both texts")(
      "tokenizer", po::value<std::string>(), "byte, a .bin or a .txt; else tok*.bin beside")(
      "separator", po::value<std::string>()->default_value("<|endoftext|>"),
      "what stands between two texts of a file")(
      "sequence-length", po::value<int>()->default_value(1 << 20),
      "tokens of a window; at most, and by default, the model's positions")(
      "seed", po::value<std::uint64_t>()->default_value(0), "of rotations and draws")(
      "threads", po::value<int>()->default_value(0), "0 = as many as processors")("json", none);
  return all;
}

}  // namespace

int compress_verb(const std::vector<std::string>& arguments) {
  po::variables_map given;
  if (!parse(verb_named("compress"), arguments, options(), "checkpoint", given)) return kOk;
  const std::vector<std::string> words = words_of(given, "checkpoint");
  if (words.size() != 1) throw UsageError("compress: which checkpoint? one");
  if (given.count("output") == 0) throw UsageError("compress: give -o FOLDER");
  if (given.count("predict") != 0 &&
      (given.count("data") == 0 || given.count("calibration") == 0)) {
    throw UsageError("compress: --predict needs --calibration and --data");
  }
  if (given["samples"].as<int>() < 1) throw UsageError("compress: --samples is at least 1");
  register_protocols();
  std::vector<Chosen<Compressor>> steps;
  for (const char* option : {"pruning", "quantization"}) {
    if (given.count(option) == 0) continue;
    for (const std::string& written : given[option].as<Words>()) {
      steps.push_back(chosen(option, written));
    }
  }
  if (steps.empty()) throw UsageError("compress: give --quantization, --pruning or both");
  set_threads(given["threads"].as<int>());
  const auto start = std::chrono::steady_clock::now();
  const std::string folder = given["output"].as<std::string>();
  const Work work = prepare(given, words.front());
  Json out = {{"checkpoint", work.checkpoint->path()}, {"output", folder}};
  try {
    const Model before = mapped_model(work.checkpoint, work.layout);
    Model after = before;
    {
      Line line(work.layout->slices.size());
      after = mapped_model(work.checkpoint, work.layout,
                           [&line](const std::string& name) { line.read(name); });
      const std::vector<StoredTensor> untouched = after.tensors;
      std::vector<std::string> made_by;
      for (const Chosen<Compressor>& step : steps) {
        compress(after, step, work, given["seed"].as<std::uint64_t>());
        made_by.push_back(to_flow_text(step.node));
      }
      for (std::size_t t = 0; t < untouched.size(); ++t) {
        if (after.tensors[t].values == untouched[t].values) after.tensors[t] = before.tensors[t];
      }
      out["compressors"] = made_by;
      write_compressed(folder, after, made_by);
    }
    copy_beside(words.front(), folder);
    out["layers"] = layer_report(before, after);
    add_totals(out, before, after);
    add_losses(out, given, work, before, after);
  } catch (const std::invalid_argument& reason) {
    throw UsageError(fmt::format("compress: {}", reason.what()));
  }
  out["seconds"] = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  out["peak_memory"] = peak_bytes();
  if (given.count("json") != 0) {
    fmt::print("{}\n", out.dump(2, ' ', false, Json::error_handler_t::replace));
  } else {
    print_report(out);
  }
  return kOk;
}

}  // namespace skiff::cli
