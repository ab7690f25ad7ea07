#include "zkrecipes/recipes/mutex.hpp"

#include "recipes/common/locking.hpp"
#include "recipes/mutex/mutex_queue.hpp"

namespace zkr {

using recipes::mutex_queue;

mutex::mutex(operations client, mutex_options options) : client_(std::move(client)), options_(std::move(options)) {}

result<held_lock> mutex::acquire(call_options wait) {
  return recipes::acquire(client_, mutex_queue(options_), std::move(wait));
}

void mutex::async_acquire(handler<held_lock> done, call_options wait) {
  recipes::async_acquire(client_, mutex_queue(options_), std::move(done), std::move(wait));
}

result<std::optional<held_lock>> mutex::try_acquire(call_options wait) {
  return recipes::try_acquire(client_, mutex_queue(options_), std::move(wait));
}

void mutex::async_try_acquire(handler<std::optional<held_lock>> done, call_options wait) {
  recipes::async_try_acquire(client_, mutex_queue(options_), std::move(done), std::move(wait));
}

result<std::vector<lock_contender>> mutex::contenders(call_options wait) {
  return recipes::contenders(client_, mutex_queue(options_), std::move(wait));
}

}  // namespace zkr
