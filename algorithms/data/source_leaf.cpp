// LEAF JSON (Caldas et al. 2018): one file, a folder of files, a folder with train/ and test/ (or
// data/train and data/test), or a stem of STEM_train* and STEM_test*. Features are kept as they
// are (LEAF's FEMNIST has 1.0 = white background); 784 features count as 28 x 28 pixels.
#include <algorithm>
#include <filesystem>

#include "algorithms/data/input_file.h"
#include "algorithms/data/leaf_json.h"

namespace fs = std::filesystem;

namespace skiff {
namespace {
struct LeafParams : TextParams {
  FilePath path;
  std::optional<int> classes;
};
}  // namespace

template <>
Schema<LeafParams> schema() {
  Schema<LeafParams> s;
  s.field("path", &LeafParams::path, "the file, the folder of train/ and test/, or a stem")
      .required("by leaf: a file, or the folder of train/ and test/");
  s.field("classes", &LeafParams::classes, "auto = the greatest label + 1")
      .in(2, 1e6)
      .or_word("auto");
  add_text_fields(s, false);
  return s;
}

namespace {

std::vector<std::string> json_files(const fs::path& folder) {
  std::vector<std::string> files;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with(".json") || name.ends_with(".json.gz")) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

struct LeafFiles {
  std::vector<std::string> train, test;
};

LeafFiles find_files(const std::string& path) {
  LeafFiles files;
  if (fs::is_directory(path)) {
    for (const char* inner : {"", "data"}) {
      if (!fs::is_directory(fs::path(path) / inner / "train")) continue;
      files.train = json_files(fs::path(path) / inner / "train");
      files.test = json_files(fs::path(path) / inner / "test");
      break;
    }
    if (files.train.empty()) files.train = json_files(path);
    if (files.train.empty()) throw DataError(path, "has no .json files, nor train/ with such");
    return files;
  }
  const FilePair pair = resolve_stem(path);
  files.train = {pair.train};
  if (!pair.test.empty()) files.test = {pair.test};
  return files;
}

class Leaf final : public DataSource {
 public:
  explicit Leaf(const LeafParams& params) : params_(params) {}

  LoadedData load(const DataOptions&, std::uint64_t seed) const override {
    const LeafFiles files = find_files(params_.path.path);
    UserCollector users;
    TextCollector texts;
    TextCollector* const text = params_.tokenizer.given() ? &texts : nullptr;
    for (const std::string& file : files.train) read_leaf_file(file, users, text);
    if (!files.test.empty()) users.begin_test(), texts.begin_test();
    for (const std::string& file : files.test) read_leaf_file(file, users, text);
    if (text != nullptr) return text_samples(params_.path.path, texts.done(), params_, seed);
    return users.finish(params_.path.path, params_.classes.value_or(0), !files.test.empty());
  }

 private:
  LeafParams params_;
};

SKIFF_REGISTER(
    DataSource, Leaf, LeafParams,
    {.name = "leaf",
     .summary = "LEAF's JSON files: FEMNIST, Synthetic, Shakespeare; users are natural clients",
     .paper = "Caldas et al. 2018 (LEAF), arXiv:1812.01097",
     .verified = "users, samples and labels of FedProx's Synthetic files; windows of "
                 "text joined again",
     .deviates = "Shakespeare is read as running text, each character predicted once, "
                 "not as overlapping windows with one target each; Sent140 is refused"});

}  // namespace
}  // namespace skiff
