#include "sim/core/node.h"

#include <algorithm>

namespace skiff {

const Node* Node::find(std::string_view key) const {
  const auto it =
      std::find_if(entries.begin(), entries.end(), [&](const Entry& e) { return e.key == key; });
  return it == entries.end() ? nullptr : &it->value;
}

Node* Node::find(std::string_view key) {
  return const_cast<Node*>(static_cast<const Node*>(this)->find(key));
}

void Node::set(std::string_view key, Node value) {
  kind = Kind::kMap;
  if (Node* old = find(key)) {
    *old = std::move(value);
  } else {
    const Location place = value.where;
    entries.push_back({std::string(key), place, std::move(value)});
  }
}

void Node::erase(std::string_view key) {
  std::erase_if(entries, [&](const Entry& e) { return e.key == key; });
}

Node Node::scalar(std::string text, Location where) {
  Node node;
  node.kind = Kind::kScalar;
  node.text = std::move(text);
  node.where = std::move(where);
  return node;
}

std::string to_flow_text(const Node& node) {
  std::string text;
  switch (node.kind) {
    case Node::Kind::kNull:
      return "null";
    case Node::Kind::kScalar: {
      const bool plain = !node.text.empty() && !node.quoted &&
                         node.text.find_first_of("{}[],:#\"'\n") == std::string::npos;
      if (plain) return node.text;
      text = "\"";
      for (const char c : node.text) {
        if (c == '"' || c == '\\') text += '\\';
        if (c == '\n') {
          text += "\\n";
        } else {
          text += c;
        }
      }
      return text + "\"";
    }
    case Node::Kind::kList:
      for (const Node& item : node.items) text += (text.empty() ? "" : ", ") + to_flow_text(item);
      return "[" + text + "]";
    case Node::Kind::kMap:
      for (const Node::Entry& e : node.entries) {
        text += (text.empty() ? "" : ", ") + e.key + ": " + to_flow_text(e.value);
      }
      return "{" + text + "}";
  }
  return text;
}

}  // namespace skiff
