// A writer of digits: a style drawn once, and images of 28 x 28 pixels drawn in it.
//
// A style is slant, tilt, proportions, pen, ink, paper, habits of form and a smooth warp of the
// plane; each image adds a smaller warp, a shift, a turn and pixel noise of its own. Only
// additions, multiplications, divisions and square roots are used, so the bits depend on the
// stream alone. Pixels are multiples of 1/255 in 0..1, ink is bright as in MNIST.
// Cost: some 12 us an image. Thread-safe: a Writer is read-only once made.
#pragma once

#include <array>
#include <span>

#include "algorithms/data/glyph_strokes.h"
#include "sim/core/random.h"

namespace skiff::glyphs {

inline constexpr int kSide = 28;
inline constexpr int kPixels = kSide * kSide;

// Displacements at the nodes of a 4 x 4 grid over the box of a digit, interpolated between.
struct Warp {
  static constexpr int kNodes = 4;
  std::array<Point, kNodes * kNodes> node{};
  static Warp draw(Stream& stream, float deviation);
  Point at(Point p) const;
};

struct Style {
  std::array<int, 10> form{};  // habit: which form of each digit
  float slant = 0;             // shift of the top to the right, in heights
  float turn = 0;              // tangent of half the tilt
  float height = 20;           // pixels
  float aspect = 0.75f;        // width over height
  float pen = 1;               // half width of a stroke, pixels
  float pressure = 0;          // relative change of the pen from top to bottom
  float blur = 1;              // width of a stroke's edge, pixels
  float ink = 1, paper = 0;    // levels
  float noise = 0.05f;         // deviation of a pixel
  float unrest = 1;            // scales the variation between this writer's own images
  Warp warp;
};

class Writer {
 public:
  explicit Writer(Stream& stream);
  const Style& style() const { return style_; }
  // One image of `digit`; out has kPixels elements.
  void draw(int digit, Stream& stream, std::span<float> out) const;

 private:
  Style style_;
};

}  // namespace skiff::glyphs
