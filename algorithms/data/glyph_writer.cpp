#include "algorithms/data/glyph_writer.h"

#include <algorithm>
#include <cmath>

namespace skiff::glyphs {
namespace {

// Mean 0, deviation 1, within +-3.46: the sum of four uniform draws.
float bell(Stream& stream) {
  const float sum = stream.uniform_float() + stream.uniform_float() + stream.uniform_float() +
                    stream.uniform_float();
  return (sum - 2.0f) * 1.7320508f;
}

// The same from the four bytes of one word: for pixels.
float bell_of_word(std::uint32_t word) {
  const std::uint32_t sum = (word & 255) + (word >> 8 & 255) + (word >> 16 & 255) + (word >> 24);
  return (static_cast<float>(sum) - 510.0f) * (1.0f / 147.8f);
}

float between(Stream& stream, float low, float high) {
  return low + (high - low) * stream.uniform_float();
}

// What stays the same within one image.
struct Pose {
  Warp warp;
  float slant, cosine, sine, height, width, centre_x, centre_y;

  Point place(Point p, const Warp& habit) const {
    const Point a = habit.at(p), b = warp.at(p);
    const float y = p.y + a.y + b.y - 0.5f;
    const float x = (p.x + a.x + b.x - 0.5f) * width - slant * y * height;
    const float down = y * height;
    return {centre_x + cosine * x - sine * down, centre_y + sine * x + cosine * down};
  }
};

// depth[pixel] = the most that a pixel's centre lies inside a stroke, in pixels (negative outside).
void add_segment(std::span<float> depth, Point from, Point to, float radius, float reach) {
  const float margin = radius + reach;
  const auto first = [&](float a, float b) {
    return std::max(0, static_cast<int>(std::min(a, b) - margin));
  };
  const auto last = [&](float a, float b) {
    return std::min(kSide - 1, static_cast<int>(std::max(a, b) + margin));
  };
  const float dx = to.x - from.x, dy = to.y - from.y;
  const float inverse = 1.0f / std::max(dx * dx + dy * dy, 1e-12f);
  const int x_end = last(from.x, to.x), y_end = last(from.y, to.y);
  for (int row = first(from.y, to.y); row <= y_end; ++row) {
    for (int col = first(from.x, to.x); col <= x_end; ++col) {
      const float px = static_cast<float>(col) + 0.5f - from.x;
      const float py = static_cast<float>(row) + 0.5f - from.y;
      const float t = std::clamp((px * dx + py * dy) * inverse, 0.0f, 1.0f);
      const float ex = px - t * dx, ey = py - t * dy;
      float& at = depth[static_cast<std::size_t>(row * kSide + col)];
      at = std::max(at, radius - std::sqrt(ex * ex + ey * ey));
    }
  }
}

}  // namespace

Warp Warp::draw(Stream& stream, float deviation) {
  Warp warp;
  for (Point& p : warp.node) p = {deviation * bell(stream), deviation * bell(stream)};
  return warp;
}

Point Warp::at(Point p) const {
  constexpr float kCells = kNodes - 1;
  const float x = std::clamp(p.x, 0.0f, 1.0f) * kCells, y = std::clamp(p.y, 0.0f, 1.0f) * kCells;
  const int column = std::min(static_cast<int>(x), kNodes - 2);
  const int row = std::min(static_cast<int>(y), kNodes - 2);
  const float u = x - static_cast<float>(column), v = y - static_cast<float>(row);
  const Point* top = node.data() + row * kNodes + column;
  const Point* bottom = top + kNodes;
  const auto mix = [&](float a, float b, float c, float d) {
    return (1 - v) * ((1 - u) * a + u * b) + v * ((1 - u) * c + u * d);
  };
  return {mix(top[0].x, top[1].x, bottom[0].x, bottom[1].x),
          mix(top[0].y, top[1].y, bottom[0].y, bottom[1].y)};
}

Writer::Writer(Stream& stream) {
  Style& s = style_;
  for (int digit = 0; digit < 10; ++digit) {
    s.form[static_cast<std::size_t>(digit)] =
        static_cast<int>(stream.below(static_cast<std::uint32_t>(forms_of(digit).size())));
  }
  s.slant = 0.15f + 0.18f * bell(stream);
  s.turn = 0.03f * bell(stream);
  s.height = between(stream, 16.0f, 21.0f);
  s.aspect = between(stream, 0.55f, 0.95f);
  s.pen = between(stream, 0.55f, 1.5f);
  s.pressure = 0.2f * bell(stream);
  s.blur = between(stream, 0.8f, 1.8f);
  s.ink = between(stream, 0.65f, 1.0f);
  s.paper = between(stream, 0.0f, 0.1f);
  s.noise = between(stream, 0.02f, 0.15f);
  s.unrest = between(stream, 0.7f, 1.4f);
  s.warp = Warp::draw(stream, 0.055f);
}

void Writer::draw(int digit, Stream& stream, std::span<float> out) const {
  const Style& s = style_;
  const float unrest = s.unrest;
  Pose pose;
  pose.warp = Warp::draw(stream, 0.052f * unrest);
  pose.slant = s.slant + 0.06f * unrest * bell(stream);
  const float half = s.turn + 0.05f * unrest * bell(stream);  // tan(angle / 2)
  pose.cosine = (1 - half * half) / (1 + half * half);
  pose.sine = 2 * half / (1 + half * half);
  pose.height = s.height * (1 + 0.06f * unrest * bell(stream));
  pose.width = pose.height * s.aspect * (1 + 0.1f * unrest * bell(stream));
  pose.centre_x = 14.0f + 1.1f * unrest * bell(stream);
  pose.centre_y = 14.0f + 1.1f * unrest * bell(stream);
  const float pen = s.pen * (1 + 0.1f * unrest * bell(stream));
  const auto& forms = forms_of(digit);
  std::size_t form = static_cast<std::size_t>(s.form[static_cast<std::size_t>(digit)]);
  // Now and then the hand does otherwise.
  if (stream.uniform_float() < 0.1f) {
    form = stream.below(static_cast<std::uint32_t>(forms.size()));
  }

  constexpr float kOutside = -100;
  std::fill(out.begin(), out.end(), kOutside);
  const float reach = 0.5f * s.blur;
  for (const Stroke& stroke : forms[form]) {
    Point from = pose.place(stroke.front(), s.warp);
    for (std::size_t i = 1; i < stroke.size(); ++i) {
      const Point to = pose.place(stroke[i], s.warp);
      const float radius = pen * (1 + s.pressure * (stroke[i].y - 0.5f));
      add_segment(out, from, to, radius, reach);
      from = to;
    }
  }
  for (float& pixel : out) {
    const float covered = std::clamp(0.5f + pixel / s.blur, 0.0f, 1.0f);
    const float level = s.paper + covered * (s.ink - s.paper) + s.noise * bell_of_word(stream());
    pixel = std::floor(std::clamp(level, 0.0f, 1.0f) * 255.0f + 0.5f) / 255.0f;
  }
}

}  // namespace skiff::glyphs
