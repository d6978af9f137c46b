#include "algorithms/data/glyph_strokes.h"

#include <array>

#include "sim/core/error.h"

namespace skiff::glyphs {
namespace {

constexpr int kPieces = 6;  // segments between two points of a curve

// What lies between the points p1 and p2 of a uniform Catmull-Rom spline.
Point spline(Point p0, Point p1, Point p2, Point p3, float t) {
  const auto blend = [t](float a, float b, float c, float d) {
    return 0.5f *
           (2 * b + t * ((c - a) + t * ((2 * a - 5 * b + 4 * c - d) + t * (3 * (b - c) + d - a))));
  };
  return {blend(p0.x, p1.x, p2.x, p3.x), blend(p0.y, p1.y, p2.y, p3.y)};
}

Stroke curve(const Stroke& points) {
  Stroke out{points.front()};
  for (std::size_t i = 0; i + 1 < points.size(); ++i) {
    const Point before = i == 0 ? points[0] : points[i - 1];
    const Point after = i + 2 < points.size() ? points[i + 2] : points.back();
    for (int piece = 1; piece <= kPieces; ++piece) {
      out.push_back(
          spline(before, points[i], points[i + 1], after, static_cast<float>(piece) / kPieces));
    }
  }
  return out;
}

Stroke loop(const Stroke& points) {
  Stroke out;
  const std::size_t n = points.size();
  for (std::size_t i = 0; i < n; ++i) {
    for (int piece = 0; piece < kPieces; ++piece) {
      out.push_back(spline(points[(i + n - 1) % n], points[i], points[(i + 1) % n],
                           points[(i + 2) % n], static_cast<float>(piece) / kPieces));
    }
  }
  out.push_back(out.front());
  return out;
}

// A polyline with points added, so that a warp bends it.
Stroke line(const Stroke& points) {
  Stroke out{points.front()};
  for (std::size_t i = 0; i + 1 < points.size(); ++i) {
    for (int piece = 1; piece <= kPieces; ++piece) {
      const float t = static_cast<float>(piece) / kPieces;
      out.push_back({points[i].x + t * (points[i + 1].x - points[i].x),
                     points[i].y + t * (points[i + 1].y - points[i].y)});
    }
  }
  return out;
}

std::array<std::vector<Form>, 10> all_forms() {
  std::array<std::vector<Form>, 10> digits;
  digits[0] = {{loop({{.5f, 0},
                      {.82f, .14f},
                      {.95f, .5f},
                      {.82f, .86f},
                      {.5f, 1},
                      {.18f, .86f},
                      {.05f, .5f},
                      {.18f, .14f}})},
               {loop({{.62f, .02f},
                      {.88f, .3f},
                      {.8f, .75f},
                      {.45f, 1},
                      {.14f, .78f},
                      {.16f, .35f},
                      {.35f, .06f}})}};
  digits[1] = {{line({{.5f, 0}, {.5f, 1}})},
               {line({{.24f, .26f}, {.54f, 0}, {.54f, 1}})},
               {line({{.26f, .24f}, {.52f, 0}, {.52f, 1}}), line({{.22f, 1}, {.82f, 1}})}};
  digits[2] = {{curve({{.1f, .26f},
                       {.26f, .04f},
                       {.62f, 0},
                       {.87f, .24f},
                       {.72f, .54f},
                       {.4f, .78f},
                       {.1f, 1}}),
                line({{.1f, 1}, {.92f, 1}})},
               {curve({{.14f, .2f},
                       {.4f, 0},
                       {.8f, .12f},
                       {.78f, .45f},
                       {.42f, .85f},
                       {.16f, .98f},
                       {.1f, .82f},
                       {.3f, .76f},
                       {.6f, .95f},
                       {.95f, .94f}})}};
  digits[3] = {{curve({{.12f, .14f}, {.42f, 0}, {.82f, .14f}, {.74f, .4f}, {.38f, .48f}}),
                curve({{.38f, .48f}, {.8f, .56f}, {.9f, .8f}, {.54f, 1}, {.08f, .88f}})},
               {line({{.14f, .02f}, {.84f, .02f}, {.42f, .4f}}),
                curve({{.42f, .4f}, {.82f, .5f}, {.88f, .8f}, {.5f, 1}, {.08f, .88f}})}};
  digits[4] = {{line({{.24f, 0}, {.1f, .58f}, {.95f, .58f}}), line({{.7f, .06f}, {.66f, 1}})},
               {line({{.66f, 0}, {.06f, .68f}, {.98f, .68f}}), line({{.66f, 0}, {.66f, 1}})},
               {curve({{.18f, .02f}, {.12f, .36f}, {.34f, .56f}, {.76f, .48f}}),
                line({{.82f, .02f}, {.68f, 1}})}};
  digits[5] = {
      {line({{.86f, .02f}, {.22f, .02f}, {.16f, .44f}}),
       curve({{.16f, .44f}, {.5f, .34f}, {.88f, .56f}, {.8f, .88f}, {.44f, 1}, {.08f, .88f}})},
      {curve({{.9f, .04f},
              {.5f, .06f},
              {.28f, .1f},
              {.2f, .4f},
              {.5f, .4f},
              {.84f, .6f},
              {.74f, .9f},
              {.4f, 1},
              {.1f, .92f}})}};
  digits[6] = {{curve({{.74f, .02f},
                       {.34f, .24f},
                       {.1f, .64f},
                       {.26f, .96f},
                       {.66f, .98f},
                       {.88f, .74f},
                       {.66f, .5f},
                       {.3f, .56f},
                       {.12f, .74f}})},
               {curve({{.4f, 0},
                       {.16f, .4f},
                       {.12f, .76f},
                       {.36f, 1},
                       {.74f, .92f},
                       {.84f, .68f},
                       {.56f, .54f},
                       {.26f, .66f},
                       {.18f, .84f}})}};
  digits[7] = {
      {line({{.08f, .03f}, {.92f, .03f}, {.42f, 1}})},
      {line({{.08f, .03f}, {.92f, .03f}, {.42f, 1}}), line({{.32f, .52f}, {.84f, .5f}})},
      {curve({{.08f, .16f}, {.2f, .04f}, {.6f, .1f}, {.92f, .02f}, {.6f, .46f}, {.5f, 1}})}};
  digits[8] = {{loop({{.8f, .16f},
                      {.5f, 0},
                      {.2f, .18f},
                      {.48f, .46f},
                      {.86f, .76f},
                      {.5f, 1},
                      {.14f, .76f},
                      {.52f, .46f}})},
               {loop({{.5f, 0}, {.78f, .22f}, {.5f, .46f}, {.22f, .22f}}),
                loop({{.5f, .46f}, {.88f, .74f}, {.5f, 1}, {.12f, .74f}})}};
  digits[9] = {{loop({{.86f, .28f}, {.56f, 0}, {.16f, .2f}, {.24f, .52f}, {.6f, .54f}}),
                line({{.86f, .22f}, {.82f, 1}})},
               {curve({{.84f, .24f},
                       {.56f, 0},
                       {.16f, .18f},
                       {.24f, .5f},
                       {.64f, .48f},
                       {.86f, .22f},
                       {.84f, .6f},
                       {.6f, 1}})},
               {curve({{.86f, .22f},
                       {.54f, 0},
                       {.14f, .2f},
                       {.26f, .5f},
                       {.66f, .46f},
                       {.86f, .2f},
                       {.86f, .64f},
                       {.6f, .98f},
                       {.14f, .9f}})}};
  return digits;
}

}  // namespace

const std::vector<Form>& forms_of(int digit) {
  static const std::array<std::vector<Form>, 10> digits = all_forms();
  SKIFF_CHECK(digit >= 0 && digit < 10, "glyphs are digits");
  return digits[static_cast<std::size_t>(digit)];
}

}  // namespace skiff::glyphs
