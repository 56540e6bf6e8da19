# The process tree under test; this shell is its root. Writes "NAME PID" lines, then /run/started, and sleeps on.
for name in one two three four five web idle; do
	sleep 100000 &
	echo "$name $!" >>/run/tasks
done
sh -c 'sleep 100000 & echo "grandchild $!" >>/run/tasks; wait' &
echo "child $!" >>/run/tasks
touch /run/threads
threads 2 >/run/threads &
echo "threads $!" >>/run/tasks
until [ "$(wc -l </run/threads)" = 3 ] && grep -q grandchild /run/tasks; do
	sleep 0.1
done
echo >/run/started
wait
