#include "zkrecipes/transaction.hpp"

#include "client/grant_state.hpp"

namespace zkr {

transaction& transaction::check(std::string path, std::int32_t version) {
  operations_.emplace_back(check_op{std::move(path), version});
  return *this;
}

transaction& transaction::create(std::string path, std::string data, create_options options) {
  operations_.emplace_back(create_op{std::move(path), std::move(data), std::move(options)});
  return *this;
}

transaction& transaction::create_with_stat(std::string path, std::string data, create_options options) {
  operations_.emplace_back(create_op{std::move(path), std::move(data), std::move(options), true});
  return *this;
}

transaction& transaction::set(std::string path, std::string data, std::int32_t version) {
  operations_.emplace_back(set_op{std::move(path), std::move(data), version});
  return *this;
}

transaction& transaction::remove(std::string path, std::int32_t version) {
  operations_.emplace_back(remove_op{std::move(path), version});
  return *this;
}

transaction& transaction::only_while(const grant& held) {
  if (!held.state_) {
    operations_.emplace_back(check_op{{}, any_version, true});  // refused by commit: there is no such grant
    return *this;
  }
  const auto& from = held.state_->from();
  operations_.emplace_back(check_op{from.check_path, from.check_version, true});
  return *this;
}

}  // namespace zkr
