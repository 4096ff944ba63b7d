#pragma once

#include <memory>
#include <vector>

namespace loopbench {

/// Objects that Asio still refers to when their users, which live as the caller likes, are done
/// with them: kept by the loop and used again. `Node` has a pointer `next_spare`.
template <class Node>
class AsioNodePool {
  public:
    /// A spare node, or a new one made from `loop`.
    template <class Loop>
    Node& take(Loop& loop) {
        if (spare_ == nullptr) {
            nodes_.push_back(std::make_unique<Node>(loop));
            return *nodes_.back();
        }
        Node& node = *spare_;
        spare_ = node.next_spare;
        return node;
    }
    void give_back(Node& node) noexcept {
        node.next_spare = spare_;
        spare_ = &node;
    }

  private:
    std::vector<std::unique_ptr<Node>> nodes_;
    Node* spare_ = nullptr;
};

}  // namespace loopbench
