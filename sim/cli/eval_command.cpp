// skiff eval CHECKPOINT --data FILE: how well a language model predicts a text, and what it writes.
//
// Each text of the file is cut into windows of --sequence-length tokens, each read from its
// beginning; every token is predicted once (with --first only those of each text's first window).
#include <fmt/format.h>

#include <cmath>
#include <ctime>
#include <nlohmann/json.hpp>

#include "algorithms/models/evaluate_rows.h"
#include "algorithms/models/full_weights.h"
#include "algorithms/models/llama_decoder.h"
#include "sim/cli/command.h"
#include "sim/cli/language_model.h"
#include "sim/core/parallel.h"

namespace skiff::cli {
namespace {

namespace po = boost::program_options;

// The prompt and `count` more tokens; ends early where the model opens another text.
std::string sample(const po::variables_map& given, const LanguageModel& loaded, const Llama& model,
                   const Vector& weights) {
  FullWeights bound(weights);
  LlamaDecoder decoder(model, bound);
  TokenIds ids{loaded.tokenizer->begin()};
  const TokenIds prompt = loaded.tokenizer->encode(given["prompt"].as<std::string>());
  ids.insert(ids.end(), prompt.begin(), prompt.end());
  const int count = std::min(given["sample"].as<int>(),
                             loaded.config.max_sequence - static_cast<int>(ids.size()) + 1);
  if (count < 1) throw UsageError("eval: the prompt leaves no room to write");
  Stream stream(given["seed"].as<std::uint64_t>(), "eval.sample");
  const TokenChoice choice{given["temperature"].as<double>(), given["top-p"].as<double>()};
  std::span<const float> logits = decoder.read(ids);
  for (int i = 0;;) {
    const std::int32_t next = choose_token(logits, choice, stream);
    if (next == loaded.tokenizer->begin()) break;
    ids.push_back(next);
    if (++i == count) break;
    logits = decoder.step(next);
  }
  return loaded.tokenizer->decode(ids);
}

po::options_description options() {
  po::options_description all;
  all.add_options()("data", po::value<std::string>(), "the text to predict")(
      "tokenizer", po::value<std::string>(), "byte, a .bin or a .txt; else tok*.bin beside")(
      "separator", po::value<std::string>()->default_value("<|endoftext|>"),
      "what stands between two texts of the file")(
      "sequence-length", po::value<int>()->default_value(1 << 20),
      "tokens of a window; at most, and by default, the model's positions")(
      "first", "only the first window of each text")("sample", po::value<int>(),
                                                     "write so many tokens")(
      "prompt", po::value<std::string>()->default_value(""), "what the sample begins with")(
      "temperature", po::value<double>()->default_value(0), "of the sample; 0 = the likeliest")(
      "top-p", po::value<double>()->default_value(1),
      "of the sample: least set of this probability")(
      "seed", po::value<std::uint64_t>()->default_value(0), "of the sample")(
      "threads", po::value<int>()->default_value(0), "0 = as many as processors")("json",
                                                                                  "as JSON");
  return all;
}

}  // namespace

int eval_verb(const std::vector<std::string>& arguments) {
  po::variables_map given;
  if (!parse(verb_named("eval"), arguments, options(), "checkpoint", given)) return kOk;
  if (words_of(given, "checkpoint").size() != 1) throw UsageError("eval: which checkpoint? one");
  if (given.count("data") == 0 && given.count("sample") == 0) {
    throw UsageError("eval: give --data FILE, --sample N or both");
  }
  set_threads(given["threads"].as<int>());
  const LanguageModel loaded = load_language_model(
      "eval", given["checkpoint"].as<std::vector<std::string>>().front(),
      given.count("tokenizer") != 0 ? given["tokenizer"].as<std::string>() : "");
  Text text;
  text.sequence_length = loaded.config.max_sequence;
  if (given.count("data") != 0) {
    text = read_text("eval", loaded, given["data"].as<std::string>(),
                     given["separator"].as<std::string>(), given["sequence-length"].as<int>(),
                     given.count("first") != 0);
  }
  const auto architecture = loaded.architecture(text.sequence_length);
  const Llama& model = *architecture;
  const auto weights = loaded.weights(model.layout());
  nlohmann::ordered_json out = {{"checkpoint", loaded.checkpoint->path()},
                                {"model", model.summary()},
                                {"tokenizer", loaded.tokenizer->summary()}};
  if (given.count("data") != 0) {
    const std::clock_t start = std::clock();
    const Evaluation total = evaluate_rows(
        model, [&] { return std::make_unique<FullWeights>(*weights); }, text.samples, text.rows);
    const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
    const double loss = total.loss / static_cast<double>(total.rows);
    out["data"] = given["data"].as<std::string>();
    out["sequence_length"] = text.sequence_length;
    out["tokens"] = total.rows;
    out["loss"] = loss;
    out["perplexity"] = std::exp(loss);
    out["next_token_accuracy"] =
        static_cast<double>(total.correct) / static_cast<double>(total.rows);
    out["cpu_seconds"] = seconds;  // of all processors, for these predictions
  }
  if (given.count("sample") != 0) out["sample"] = sample(given, loaded, model, *weights);
  if (given.count("json") != 0) {
    fmt::print("{}\n", out.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
    return kOk;
  }
  fmt::print("{}  {}\n", out["model"].get<std::string>(), out["tokenizer"].get<std::string>());
  if (out.contains("tokens")) {
    fmt::print("{} tokens of {}, windows of {}\n", out["tokens"].get<std::int64_t>(),
               out["data"].get<std::string>(), text.sequence_length);
    fmt::print("  loss {:.6f} nats   perplexity {:.4f}   accuracy {:.6f}\n",
               out["loss"].get<double>(), out["perplexity"].get<double>(),
               out["next_token_accuracy"].get<double>());
  }
  if (out.contains("sample")) fmt::print("{}\n", out["sample"].get<std::string>());
  return kOk;
}

}  // namespace skiff::cli
