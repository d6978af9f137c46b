// What the verbs of the command line share: one function a verb, options, exit codes.
#pragma once

#include <boost/program_options.hpp>
#include <functional>
#include <string>
#include <vector>

namespace skiff::cli {

inline constexpr int kOk = 0;
inline constexpr int kRunFailed = 1;
inline constexpr int kUsage = 2;  // or a scenario error
inline constexpr int kInterrupted = 130;

struct Verb {
  std::string name;
  std::string arguments;  // "FILE..."
  std::string summary;
  int (*run)(const std::vector<std::string>& arguments);
};
const std::vector<Verb>& verbs();

// A mistake on the command line: exit code 2.
class UsageError : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Parses without guessing abbreviations. Answers false if --help was asked for and printed.
// `positional`: name of the option that takes the words without a dash, "" for none.
bool parse(const Verb& verb, const std::vector<std::string>& arguments,
           const boost::program_options::options_description& options,
           const std::string& positional, boost::program_options::variables_map& out);
// The words given for `positional`, and what --set was given; empty if none.
std::vector<std::string> words_of(const boost::program_options::variables_map& given,
                                  const std::string& option);
// The one scenario file of a verb that takes one; UsageError if there are none or more.
std::string single_file(const Verb& verb, const boost::program_options::variables_map& given);
const Verb& verb_named(const std::string& name);

int init_verb(const std::vector<std::string>& arguments);
int run_verb(const std::vector<std::string>& arguments);
int sweep_verb(const std::vector<std::string>& arguments);
int report_verb(const std::vector<std::string>& arguments);
int validate_verb(const std::vector<std::string>& arguments);
int list_verb(const std::vector<std::string>& arguments);
int explain_verb(const std::vector<std::string>& arguments);
int inspect_verb(const std::vector<std::string>& arguments);
int compress_verb(const std::vector<std::string>& arguments);
int fit_verb(const std::vector<std::string>& arguments);
int export_verb(const std::vector<std::string>& arguments);
int eval_verb(const std::vector<std::string>& arguments);
int schema_verb(const std::vector<std::string>& arguments);

}  // namespace skiff::cli
