// Handwritten digits that need no download: every client is a writer with a style of their own.
//
// Training: `clients` writers with samples_per_client images each, digits drawn uniformly. The test
// set has test_fraction as many images and the server's set as many as asked, both by the same law
// from writers who are no clients, 20 images each. Writer k's images depend on the seed and k only.
#include <fmt/format.h>

#include <cmath>
#include <stdexcept>

#include "algorithms/data/generators.h"
#include "algorithms/data/glyph_writer.h"
#include "algorithms/data/source.h"
#include "sim/core/parallel.h"

namespace skiff {
namespace {
struct GlyphsParams {
  int samples_per_client = 100;
};
}  // namespace

template <>
Schema<GlyphsParams> schema() {
  Schema<GlyphsParams> s;
  s.field("samples_per_client", &GlyphsParams::samples_per_client, "images by each writer")
      .in(1, 1e6);
  return s;
}

namespace {

// `count` images, `each` by one writer (the last may write fewer).
Samples written(std::size_t count, std::size_t each, std::uint64_t seed, std::string_view purpose) {
  Samples samples(count, glyphs::kPixels);
  const std::size_t writers = (count + each - 1) / each;
  parallel_for(writers, [&](std::size_t w) {
    Stream stream(seed, purpose, w);
    const glyphs::Writer writer(stream);
    for (std::size_t i = w * each; i < std::min(count, (w + 1) * each); ++i) {
      Stream own = stream.child("image", i - w * each);
      samples.labels[i] = static_cast<std::int32_t>(own.below(10));
      writer.draw(samples.labels[i], own,
                  {samples.row(static_cast<int>(i)), static_cast<std::size_t>(glyphs::kPixels)});
    }
  });
  return samples;
}

class Glyphs final : public DataSource {
 public:
  explicit Glyphs(const GlyphsParams& params) : params_(params) {}

  LoadedData load(const DataOptions& options, std::uint64_t seed) const override {
    constexpr std::size_t kImagesOfOthers = 20;
    const auto each = static_cast<std::size_t>(params_.samples_per_client);
    const std::size_t count =
        generated_rows(options.clients, params_.samples_per_client, glyphs::kPixels);
    const auto tests =
        static_cast<std::size_t>(std::lround(options.test_fraction * static_cast<double>(count)));
    LoadedData data;
    data.shape = classification_shape(glyphs::kPixels, 10);
    data.train = written(count, each, seed, "data.glyphs");
    data.test = written(tests, kImagesOfOthers, seed, "data.glyphs.test");
    data.server = written(static_cast<std::size_t>(options.server_samples), kImagesOfOthers, seed,
                          "data.glyphs.server");
    data.has_test = true;
    name_owners(data, options.clients, each, "writer");
    return data;
  }

 private:
  GlyphsParams params_;
};

SKIFF_REGISTER(DataSource, Glyphs, GlyphsParams,
               {.name = "glyphs",
                .summary = "generated handwritten digits 28 x 28; a writer's style for each client",
                .paper = "skiff",
                .verified = "a linear model stays clearly below an MLP; test images are by "
                            "unseen writers"});

}  // namespace
}  // namespace skiff
