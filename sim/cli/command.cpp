#include "sim/cli/command.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <sstream>

#include "sim/core/error.h"

namespace skiff::cli {
namespace po = boost::program_options;

const std::vector<Verb>& verbs() {
  static const std::vector<Verb> all{
      {"init", "NAME", "writes a first scenario, commented, that runs at once", init_verb},
      {"run", "FILE", "runs a scenario: results/NAME/run.h5, figures, a summary", run_verb},
      {"sweep", "FILE", "every run of a scenario's sweep, several at a time", sweep_verb},
      {"report", "DIR...", "one HTML page of all runs in folders, for any browser", report_verb},
      {"validate", "FILE...", "reads scenarios and says what is wrong with them", validate_verb},
      {"list", "algorithms|models|devices|data", "what there is", list_verb},
      {"explain", "NAME", "an algorithm, model, data source or device in full", explain_verb},
      {"inspect", "RUN.h5", "what a finished run holds", inspect_verb},
      {"fit", "", "which plans of a real-size model fit a device, and how fast they are", fit_verb},
      {"compress", "CHECKPOINT", "prunes and quantizes a checkpoint, layer by layer",
       compress_verb},
      {"export", "RUN.h5", "the final model of a run as a safetensors file", export_verb},
      {"eval", "CHECKPOINT", "how well a language model predicts a text, and what it writes",
       eval_verb},
      {"schema", "", "the JSON Schema of scenarios, for editors", schema_verb},
  };
  return all;
}

const Verb& verb_named(const std::string& name) {
  const auto it =
      std::find_if(verbs().begin(), verbs().end(), [&](const Verb& v) { return v.name == name; });
  SKIFF_CHECK(it != verbs().end(), "no such verb: " + name);
  return *it;
}

namespace {

void print_help(const Verb& verb, const po::options_description& options) {
  std::ostringstream text;
  text << options;
  fmt::print("usage: skiff {} {}{}[options]\n{}\n\n{}", verb.name, verb.arguments,
             verb.arguments.empty() ? "" : " ", verb.summary, text.str());
}

std::string unknown_option(const std::string& written, const po::options_description& options) {
  std::vector<std::string> known;
  for (const auto& option : options.options()) known.push_back("--" + option->long_name());
  const std::string near = nearest_word(written, known);
  return fmt::format("unknown option {}{}", written,
                     near.empty() ? "" : fmt::format("; did you mean {}?", near));
}

}  // namespace

bool parse(const Verb& verb, const std::vector<std::string>& arguments,
           const po::options_description& options, const std::string& positional,
           po::variables_map& out) {
  po::options_description all("options");
  all.add(options);
  all.add_options()("help,h", "this text");
  po::options_description with_words;
  with_words.add(all);
  po::positional_options_description words;
  if (!positional.empty()) {
    with_words.add_options()(positional.c_str(), po::value<std::vector<std::string>>());
    words.add(positional.c_str(), -1);
  }
  const int style = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
  try {
    po::store(
        po::command_line_parser(arguments).options(with_words).positional(words).style(style).run(),
        out);
    po::notify(out);
  } catch (const po::unknown_option& e) {
    throw UsageError(unknown_option(e.get_option_name(), all));
  } catch (const po::too_many_positional_options_error&) {
    throw UsageError(fmt::format("skiff {} takes no words without a dash", verb.name));
  } catch (const po::error& e) {
    throw UsageError(e.what());
  }
  if (out.count("help") == 0) return true;
  print_help(verb, all);
  return false;
}

std::vector<std::string> words_of(const po::variables_map& given, const std::string& option) {
  if (given.count(option) == 0) return {};
  return given[option].as<std::vector<std::string>>();
}

std::string single_file(const Verb& verb, const po::variables_map& given) {
  const std::vector<std::string> files = words_of(given, "file");
  if (files.size() != 1) throw UsageError(verb.name + ": one scenario file");
  return files[0];
}

}  // namespace skiff::cli
