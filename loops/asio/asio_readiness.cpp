#include "loops/asio/asio_readiness.hpp"

#include <poll.h>

#include <utility>

#include "loops/asio_loop.hpp"

namespace loopbench {

using boost::asio::posix::descriptor_base;
using boost::system::error_code;

AsioWatchNode::AsioWatchNode(AsioLoop& loop) : loop_(loop), descriptor_(loop.native()) {}

int AsioWatchNode::begin(int descriptor, AsioReadiness& owner) noexcept {
    error_code error;
    descriptor_.assign(descriptor, error);
    if (!error) owner_ = &owner;
    return errno_of(error);
}

void AsioWatchNode::wait_for(Interest wanted) {
    if (any(wanted & Interest::readable) && !any(waiting_ & Interest::readable)) {
        waiting_ = waiting_ | Interest::readable;
        descriptor_.async_wait(descriptor_base::wait_read,
                               asio_handler<&AsioWatchNode::on_readable>(*this, read_memory_));
    }
    if (any(wanted & Interest::writable) && !any(waiting_ & Interest::writable)) {
        waiting_ = waiting_ | Interest::writable;
        descriptor_.async_wait(descriptor_base::wait_write,
                               asio_handler<&AsioWatchNode::on_writable>(*this, write_memory_));
    }
}

void AsioWatchNode::on_readable(const error_code&) noexcept {
    waiting_ = waiting_ & Interest::writable;
    happened();
}

void AsioWatchNode::on_writable(const error_code&) noexcept {
    waiting_ = waiting_ & Interest::readable;
    happened();
}

void AsioWatchNode::happened() noexcept {
    if (owner_ != nullptr) {
        dispatching_ = true;
        loop_.begin_callback();
        owner_->tell();
        dispatching_ = false;
        if (owner_ != nullptr) wait_for(owner_->interest_);
    }
    retire();
}

void AsioWatchNode::end() noexcept {
    owner_ = nullptr;
    error_code ignored;
    if constexpr (asio_operations_are_in_the_kernel) {
        // Given back by `retire`, because Asio must not lose sight of waits that the kernel has.
        if (any(waiting_)) descriptor_.cancel(ignored);
    } else {
        // Now: its number may soon be another descriptor's.
        descriptor_.release();
    }
    retire();
}

void AsioWatchNode::retire() noexcept {
    if (owner_ != nullptr || any(waiting_) || dispatching_) return;
    if (descriptor_.is_open()) descriptor_.release();
    loop_.watches().give_back(*this);
}

Result<> AsioReadiness::start(Interest interest) {
    if (!any(interest)) {
        stop();
        return {};
    }
    if (node_ == nullptr) {
        AsioWatchNode& node = loop_.watches().take(loop_);
        if (const int error = node.begin(descriptor_, *this)) {
            loop_.watches().give_back(node);
            return Failure::from_errno(error);
        }
        node_ = &node;
    }
    interest_ = interest;
    node_->wait_for(interest);
    return {};
}

void AsioReadiness::stop() noexcept {
    if (node_ == nullptr) return;
    interest_ = Interest::none;
    std::exchange(node_, nullptr)->end();
}

/// What of the interest holds now.
Interest AsioReadiness::found() const noexcept {
    pollfd query{descriptor_, 0, 0};
    if (any(interest_ & Interest::readable)) query.events |= POLLIN;
    if (any(interest_ & Interest::writable)) query.events |= POLLOUT;
    if (::poll(&query, 1, 0) <= 0) return Interest::none;
    if ((query.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0) return interest_;
    Interest found = Interest::none;
    if ((query.revents & POLLIN) != 0) found = found | Interest::readable;
    if ((query.revents & POLLOUT) != 0) found = found | Interest::writable;
    return found;
}

void AsioReadiness::tell() noexcept {
    const std::uint64_t turn = loop_.counters().turns;
    if (last_turn_ == turn) return;  // told already; the wait that is started anew will come again
    const Interest now = found();
    if (!any(now)) return;
    last_turn_ = turn;
    function_(*this, now);
}

}  // namespace loopbench
