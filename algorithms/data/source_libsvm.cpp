// LIBSVM text, plain or .gz: `label index:value index:value ...`, indices ascending from 1, labels
// any numbers (Chang and Lin 2011). Held densely.
//
// Two distinct labels make a binary task: the smaller one becomes -1, the larger +1. More become
// classes 0, 1, ... in ascending order. A "#" starts a comment; a line may hold only its label.
#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <map>

#include "algorithms/data/input_file.h"
#include "algorithms/data/source.h"

namespace skiff {
namespace {
struct LibsvmParams {
  FilePath path;
  std::optional<int> dimension;
};
}  // namespace

template <>
Schema<LibsvmParams> schema() {
  Schema<LibsvmParams> s;
  s.field("path", &LibsvmParams::path, "the file, or a stem of STEM_train* and STEM_test*")
      .required("by libsvm: the file");
  s.field("dimension", &LibsvmParams::dimension,
          "number of features; auto = the greatest index in the file")
      .in(1, 1e8)
      .or_word("auto");
  return s;
}

namespace {

constexpr std::size_t kMostLabels = 1000;
constexpr double kMostDenseBytes = 16e9;

// The file as it is: sparse rows one after another.
struct SparseRows {
  std::vector<double> labels;
  std::vector<std::size_t> begin{0};
  std::vector<std::uint32_t> index;  // from 0
  std::vector<float> value;
  std::uint32_t dimension = 0;          // greatest index, counted from 1
  std::map<double, int> line_of_label;  // where each distinct label stands first
};

std::string_view next_word(std::string_view& rest) {
  const std::size_t start = rest.find_first_not_of(" \t");
  if (start == std::string_view::npos) return rest = {};
  rest.remove_prefix(start);
  const std::string_view word = rest.substr(0, rest.find_first_of(" \t"));
  rest.remove_prefix(word.size());
  return word;
}

bool parse(std::string_view text, double& out) {
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size() && std::isfinite(out);
}

void read_feature(std::string_view word, const LineReader& lines, std::int64_t limit,
                  std::uint32_t& before, SparseRows& rows) {
  const std::size_t colon = word.find(':');
  std::uint32_t index = 0;
  double value = 0;
  const std::string_view left = word.substr(0, colon);
  const auto [end, error] = std::from_chars(left.data(), left.data() + left.size(), index);
  if (colon == std::string_view::npos || error != std::errc() || end != left.data() + left.size()) {
    lines.fail(fmt::format("expected index:value, found \"{}\"", word.substr(0, 40)));
  }
  if (index == 0) lines.fail("index 0; LIBSVM counts features from 1");
  if (index <= before) {
    lines.fail(fmt::format("index {} after {}; indices must ascend", index, before));
  }
  if (index > limit) {
    lines.fail(fmt::format("index {} is above the dimension {}", index, limit));
  }
  if (!parse(word.substr(colon + 1), value)) {
    lines.fail(fmt::format("feature {}: expected a finite number, found \"{}\"", index,
                           word.substr(colon + 1, 40)));
  }
  before = index;
  rows.index.push_back(index - 1);
  rows.value.push_back(static_cast<float>(value));
  rows.dimension = std::max(rows.dimension, index);
}

SparseRows read_rows(const std::string& path, std::int64_t limit) {
  SparseRows rows;
  LineReader lines(path);
  std::string_view line;
  while (lines.next(line)) {
    std::string_view rest = line.substr(0, line.find('#'));
    std::string_view word = next_word(rest);
    if (word.empty()) continue;
    double label = 0;
    if (!parse(word, label)) {
      lines.fail(fmt::format("expected a label, found \"{}\"", word.substr(0, 40)));
    }
    if (rows.line_of_label.emplace(label, lines.number()).second &&
        rows.line_of_label.size() > kMostLabels) {
      lines.fail(fmt::format("more than {} distinct labels; expected classes", kMostLabels));
    }
    rows.labels.push_back(label);
    std::uint32_t before = 0;
    while (!(word = next_word(rest)).empty()) read_feature(word, lines, limit, before, rows);
    rows.begin.push_back(rows.index.size());
  }
  if (rows.labels.empty()) throw DataError(path, "has no samples");
  return rows;
}

Samples densify(const SparseRows& rows, int dimension, const std::map<double, std::int32_t>& labels,
                const std::string& path) {
  const double bytes = 4.0 * static_cast<double>(rows.labels.size()) * dimension;
  if (bytes > kMostDenseBytes) {
    throw DataError(path,
                    fmt::format("{} samples of {} features take {:.0f} GB; features are held "
                                "densely, up to {:.0f} GB",
                                rows.labels.size(), dimension, bytes / 1e9, kMostDenseBytes / 1e9));
  }
  Samples samples(rows.labels.size(), dimension);
  std::fill(samples.features.begin(), samples.features.end(), 0.0f);
  for (int i = 0; i < samples.rows(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    const auto label = labels.find(rows.labels[at]);
    if (label == labels.end()) {
      throw DataError(fmt::format("{}:{}", path, rows.line_of_label.at(rows.labels[at])),
                      fmt::format("label {} does not occur in training", rows.labels[at]));
    }
    samples.labels[at] = label->second;
    for (std::size_t j = rows.begin[at]; j < rows.begin[at + 1]; ++j) {
      samples.row(i)[rows.index[j]] = rows.value[j];
    }
  }
  return samples;
}

class Libsvm final : public DataSource {
 public:
  explicit Libsvm(const LibsvmParams& params) : params_(params) {}

  LoadedData load(const DataOptions&, std::uint64_t) const override {
    const FilePair files = resolve_stem(params_.path.path);
    const std::int64_t limit = params_.dimension.value_or(100'000'000);
    const SparseRows train = read_rows(files.train, limit);
    SparseRows test;
    if (!files.test.empty()) test = read_rows(files.test, limit);
    const int dimension = params_.dimension.value_or(
        static_cast<int>(std::max({train.dimension, test.dimension, 1u})));

    const std::size_t classes = train.line_of_label.size();
    if (classes < 2) {
      throw DataError(files.train, fmt::format("every label is {}; expected two classes or more",
                                               train.labels.front()));
    }
    std::map<double, std::int32_t> labels;
    for (const auto& [label, line] : train.line_of_label) {
      const auto c = static_cast<std::int32_t>(labels.size());
      labels.emplace(label, classes == 2 ? 2 * c - 1 : c);
    }
    LoadedData data;
    data.train = densify(train, dimension, labels, files.train);
    if (!files.test.empty()) data.test = densify(test, dimension, labels, files.test);
    data.has_test = !files.test.empty();
    data.shape = classification_shape(dimension, static_cast<int>(classes));
    if (classes == 2) data.shape.kind = TaskKind::kBinaryLogistic;
    return data;
  }

 private:
  LibsvmParams params_;
};

SKIFF_REGISTER(DataSource, Libsvm, LibsvmParams,
               {.name = "libsvm",
                .summary = "sparse text files such as a9a, mushrooms, phishing; held densely",
                .paper = "Chang and Lin 2011, LIBSVM",
                .verified = "rows, features, non-zeros and label counts of a9a, mushrooms, "
                            "phishing"});

}  // namespace
}  // namespace skiff
