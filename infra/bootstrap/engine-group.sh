# Sourced by what starts Sluice. Who was added to the group of the container engine's socket becomes a member at the
# next login only: starts "$@" again as one. Returns where that is not needed, or does not help.
join_engine_group() {
  local socket=/var/run/docker.sock group word command='exec'
  [[ -S $socket && ! -w $socket && -z ${DOCKER_HOST-} && -z ${SLUICE_ENGINE_GROUP-} ]] || return 0
  group=$(stat -c %G -- "$socket")
  [[ " $(id -nG -- "$(id -un)") " == *" $group "* ]] || return 0
  # `sg` takes one line for a shell.
  for word; do command+=" '${word//\'/\'\\\'\'}'"; done
  export SLUICE_ENGINE_GROUP=$group
  exec sg "$group" -c "$command"
}
