// Builds Nodes for tests from a little flow text: {a: 1, b: [x, y], c: "quoted"}. Columns are where
// the text has them, on line 1 of "test.yaml".
#pragma once

#include <cctype>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "sim/core/node.h"

namespace skiff {

class NodeText {
 public:
  static Node parse(std::string_view text) {
    NodeText parser(text);
    Node node = parser.value();
    parser.skip_spaces();
    if (parser.at_ != text.size()) throw std::invalid_argument("left over in test text");
    return node;
  }

 private:
  explicit NodeText(std::string_view text) : text_(text) {}

  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void skip_spaces() {
    while (peek() == ' ') ++at_;
  }
  void expect(char c) {
    skip_spaces();
    if (peek() != c) throw std::invalid_argument(std::string("test text lacks ") + c);
    ++at_;
  }
  Location here() const { return {"test.yaml", 1, static_cast<int>(at_) + 1}; }

  Node value() {
    skip_spaces();
    Node node;
    node.where = here();
    if (peek() == '{') {
      node.kind = Node::Kind::kMap;
      for (expect('{'); skip_spaces(), peek() != '}';) {
        const Location where = here();
        std::string key = word(":");
        expect(':');
        node.entries.push_back({std::move(key), where, value()});
        if (skip_spaces(), peek() == ',') ++at_;
      }
      expect('}');
    } else if (peek() == '[') {
      node.kind = Node::Kind::kList;
      for (expect('['); skip_spaces(), peek() != ']';) {
        node.items.push_back(value());
        if (skip_spaces(), peek() == ',') ++at_;
      }
      expect(']');
    } else if (peek() == '"') {
      const std::size_t end = text_.find('"', at_ + 1);
      node.kind = Node::Kind::kScalar;
      node.quoted = true;
      node.text = text_.substr(at_ + 1, end - at_ - 1);
      at_ = end + 1;
    } else {
      node.text = word(",]}");
      const bool null = node.text == "null" || node.text == "~" || node.text.empty();
      node.kind = null ? Node::Kind::kNull : Node::Kind::kScalar;
    }
    return node;
  }

  std::string word(std::string_view stops) {
    const std::size_t begin = at_;
    while (at_ < text_.size() && stops.find(peek()) == std::string_view::npos) ++at_;
    std::string found(text_.substr(begin, at_ - begin));
    while (!found.empty() && found.back() == ' ') found.pop_back();
    return found;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

inline Node parse_node(std::string_view text) { return NodeText::parse(text); }

}  // namespace skiff
