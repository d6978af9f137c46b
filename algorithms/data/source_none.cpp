// Clients and their numbers of samples without any numbers: for timing-only runs of up to millions
// of devices. The shape is what the model would have seen; only costs depend on it.
#include <optional>
#include <stdexcept>

#include "algorithms/data/source.h"

namespace skiff {
namespace {
struct NoneParams {
  int samples_per_client = 100;
  int features = 784;
  int classes = 10;
  std::optional<int> sequence_length;
  int vocabulary = 32000;
};
}  // namespace

template <>
Schema<NoneParams> schema() {
  Schema<NoneParams> s;
  s.field("samples_per_client", &NoneParams::samples_per_client, "mean samples of a client")
      .in(1, 1e9);
  s.field("features", &NoneParams::features, "width of the model's input, for its cost").in(1, 1e8);
  s.field("classes", &NoneParams::classes, "outputs of the model, for its cost").in(2, 1e6);
  s.field("sequence_length", &NoneParams::sequence_length,
          "the samples stand for text of so many tokens, instead of features and classes")
      .in(1, 1 << 20)
      .or_word("none");
  s.field("vocabulary", &NoneParams::vocabulary, "of text: how many tokens there are")
      .in(2, 1 << 24);
  // What is left at its default says nothing, also where it was printed.
  s.check([](const NoneParams& p, const Node& map, Reader& reader) {
    const auto refuse = [&](const char* key, bool written, const char* message) {
      if (!written) return;
      const Reader::Scope scope(reader, key);
      reader.problem(map.find(key)->where, message);
    };
    const NoneParams usual;
    const char* both = "given besides sequence_length; samples are text or features";
    refuse("features", p.sequence_length && p.features != usual.features, both);
    refuse("classes", p.sequence_length && p.classes != usual.classes, both);
    refuse("vocabulary", !p.sequence_length && p.vocabulary != usual.vocabulary,
           "is of text; give sequence_length too, or remove it");
  });
  return s;
}

namespace {

class None final : public DataSource {
 public:
  explicit None(const NoneParams& params) : params_(params) {}

  bool timing_only() const override { return true; }
  LoadedData load(const DataOptions& options, std::uint64_t) const override {
    if (options.clients < 1) throw std::invalid_argument("source none needs data.clients");
    LoadedData data;
    if (params_.sequence_length) {
      data.shape.kind = TaskKind::kNextToken;
      data.shape.vocabulary = params_.vocabulary;
      data.shape.sequence_length = *params_.sequence_length;
    } else {
      data.shape = classification_shape(params_.features, params_.classes);
    }
    data.counted = std::int64_t{options.clients} * params_.samples_per_client;
    return data;
  }

 private:
  NoneParams params_;
};

SKIFF_REGISTER(DataSource, None, NoneParams,
               {.name = "none",
                .summary = "no numbers, only how many samples each client has (timing-only)",
                .paper = "baseline"});

}  // namespace
}  // namespace skiff
