// Sentences of a small grammar: every client is a speaker with topics and words of their own.
//
// Training: `clients` speakers with samples_per_client sentences each. The test set has
// test_fraction as many sentences of each speaker (their own held-out ones); the server's sentences
// are by speakers without favourite topics, 20 sentences each. Speaker k's sentences depend on the
// seed and k only. One sentence is one text; labels are clients, or topics with objective topic.
#include <cmath>
#include <stdexcept>

#include "algorithms/data/generators.h"
#include "algorithms/data/grammar.h"
#include "algorithms/data/text_samples.h"
#include "sim/core/parallel.h"

namespace skiff {
namespace {
struct GrammarParams : TextParams {
  GrammarParams() { pack = false; }
  int samples_per_client = 100;
  double topic_alpha = 0.3;
};
}  // namespace

template <>
Schema<GrammarParams> schema() {
  Schema<GrammarParams> s;
  s.field("samples_per_client", &GrammarParams::samples_per_client, "sentences of each client")
      .in(1, 1e6);
  s.field("topic_alpha", &GrammarParams::topic_alpha,
          "how alike the clients' topics are: weights from Dir(alpha)")
      .above(0);
  add_text_fields(s, true, true);
  return s;
}

namespace {

class Grammar final : public DataSource {
 public:
  explicit Grammar(const GrammarParams& params) : params_(params) {}

  LoadedData load(const DataOptions& options, std::uint64_t seed) const override {
    const auto each = static_cast<std::size_t>(params_.samples_per_client);
    generated_rows(options.clients, params_.samples_per_client, 2 * params_.sequence_length);
    const auto clients = static_cast<std::size_t>(options.clients);
    const auto tests =
        static_cast<std::size_t>(std::lround(options.test_fraction * static_cast<double>(each)));
    TextCorpus corpus;
    corpus.topics = grammar::kTopics;
    corpus.has_test = true;
    corpus.train.resize(clients * each);
    corpus.test.resize(clients * tests);
    parallel_for(clients, [&](std::size_t k) {
      const Stream stream(seed, "data.grammar", k);
      const grammar::Speaker speaker(params_.topic_alpha, stream.child("speaker"));
      for (std::size_t i = 0; i < each + tests; ++i) {
        ClientText& out = i < each ? corpus.train[k * each + i] : corpus.test[k * tests + i - each];
        out = spoken(speaker, static_cast<std::int32_t>(k), stream.child("sentence", i));
      }
    });
    constexpr std::size_t kOfOthers = 20;
    corpus.server.resize(static_cast<std::size_t>(options.server_samples));
    for (std::size_t i = 0; i < corpus.server.size(); ++i) {
      const Stream stream(seed, "data.grammar.server", i / kOfOthers);
      const grammar::Speaker speaker(0, stream.child("speaker"));
      corpus.server[i] = spoken(speaker, -1, stream.child("sentence", i));
    }
    for (std::size_t k = 0; k < clients; ++k) {
      corpus.owners.push_back("speaker-" + std::to_string(k));
    }
    return text_samples("grammar", std::move(corpus), params_, seed);
  }

 private:
  static ClientText spoken(const grammar::Speaker& speaker, std::int32_t owner, Stream stream) {
    ClientText text;
    text.owner = owner;
    text.topic = speaker.draw_topic(stream);
    text.text = speaker.sentence(text.topic, stream);
    return text;
  }

  GrammarParams params_;
};

SKIFF_REGISTER(DataSource, Grammar, GrammarParams,
               {.name = "grammar",
                .summary = "generated sentences; topics and favourite words for each client",
                .paper = "skiff",
                .verified = "number agrees across inserted phrases; clients' topics differ; a "
                            "speaker's sentences depend on the seed and the speaker alone"});

}  // namespace
}  // namespace skiff
