. /vm/lib.sh
