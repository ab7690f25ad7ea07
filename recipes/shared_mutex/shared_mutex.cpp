#include "zkrecipes/recipes/shared_mutex.hpp"

#include "recipes/common/locking.hpp"
#include "recipes/shared_mutex/shared_mutex_queue.hpp"
#include "zkrecipes/path.hpp"

namespace zkr {

using recipes::lock_mode;
using recipes::shared_mutex_queue;

shared_mutex::shared_mutex(operations client, shared_mutex_options options)
    : client_(std::move(client)), options_(std::move(options)) {}

result<held_lock> shared_mutex::acquire(call_options wait) {
  return recipes::acquire(client_, shared_mutex_queue(options_, lock_mode::exclusive), std::move(wait));
}

void shared_mutex::async_acquire(handler<held_lock> done, call_options wait) {
  recipes::async_acquire(client_, shared_mutex_queue(options_, lock_mode::exclusive), std::move(done), std::move(wait));
}

result<held_lock> shared_mutex::acquire_shared(call_options wait) {
  return recipes::acquire(client_, shared_mutex_queue(options_, lock_mode::shared), std::move(wait));
}

void shared_mutex::async_acquire_shared(handler<held_lock> done, call_options wait) {
  recipes::async_acquire(client_, shared_mutex_queue(options_, lock_mode::shared), std::move(done), std::move(wait));
}

result<std::optional<held_lock>> shared_mutex::try_acquire(call_options wait) {
  return recipes::try_acquire(client_, shared_mutex_queue(options_, lock_mode::exclusive), std::move(wait));
}

void shared_mutex::async_try_acquire(handler<std::optional<held_lock>> done, call_options wait) {
  recipes::async_try_acquire(client_, shared_mutex_queue(options_, lock_mode::exclusive), std::move(done),
                             std::move(wait));
}

result<std::optional<held_lock>> shared_mutex::try_acquire_shared(call_options wait) {
  return recipes::try_acquire(client_, shared_mutex_queue(options_, lock_mode::shared), std::move(wait));
}

void shared_mutex::async_try_acquire_shared(handler<std::optional<held_lock>> done, call_options wait) {
  recipes::async_try_acquire(client_, shared_mutex_queue(options_, lock_mode::shared), std::move(done),
                             std::move(wait));
}

result<std::vector<lock_contender>> shared_mutex::contenders(call_options wait) {
  auto all = recipes::contenders(client_, shared_mutex_queue(options_, lock_mode::exclusive), std::move(wait));
  if (!all) return all;
  bool writer_before = false;
  for (auto& one : *all) {
    one.shared = recipes::parse_sequence(node_name(one.path), recipes::reader_marker).has_value();
    if (one.shared) one.holds = !writer_before;
    writer_before = writer_before || !one.shared;
  }
  return all;
}

}  // namespace zkr
