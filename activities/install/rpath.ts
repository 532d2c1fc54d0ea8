/**
 * A shell function that prints where a program itself says that its libraries are: DT_RPATH and DT_RUNPATH, a line each
 * (System V ABI, "Dynamic Section"). A minimal system has no tool that reads ELF files, but it has `od`. For files of
 * the machine's own byte order alone, as those are that its loader takes.
 */
export const rpathFunction = `
numbers() { od -An -v -t "u$2" -j "$3" -N "$4" "$1"; }
rpath() {
  file=$1
  set -- $(numbers "$file" 1 4 2)
  order=$2 wide=8 stride=7 at=32 about=54
  [ "$1" = 2 ] || { wide=4 stride=8 at=28 about=42; }
  set -- $(numbers "$file" "$wide" "$at" "$wide") $(numbers "$file" 2 "$about" 4)
  set -- $(numbers "$file" "$wide" "$1" $(($2 * $3)))
  loads= dynamic=
  while [ $# -ge $stride ]; do
    kind=$1
    [ $wide = 4 ] || [ "$order" = 1 ] || kind=$((kind >> 32))
    case $((kind & 4294967295)) in
      1) loads="$loads $2 $3 $5" ;;
      2) dynamic="$2 $5" ;;
    esac
    shift $stride
  done
  [ -n "$dynamic" ] || return 0
  set -- $(numbers "$file" "$wide" $dynamic)
  strings=0 names=
  while [ $# -ge 2 ] && [ "$1" != 0 ]; do
    case $1 in 5) strings=$2 ;; 15|29) names="$names $2" ;; esac
    shift 2
  done
  set -- $loads
  while [ $# -ge 3 ]; do
    if [ "$strings" -ge "$2" ] && [ "$strings" -lt $(($2 + $3)) ]; then
      for name in $names; do
        tail -c "+$((strings - $2 + $1 + name + 1))" "$file" | head -c 4096 | tr '\\0' '\\n' | head -n 1
      done
      return 0
    fi
    shift 3
  done
}
`;
