# What "scripts/vm suite --long" runs.
sh /vm/all.sh partition
