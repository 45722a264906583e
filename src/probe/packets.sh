# Prints a line "MAC RX_PACKETS TX_PACKETS RX_BYTES TX_BYTES" for each NIC. POSIX sh, also busybox; only builtins.
for nic in /sys/class/net/*; do
    read -r line <"$nic/address"
    for counter in rx_packets tx_packets rx_bytes tx_bytes; do
        read -r n <"$nic/statistics/$counter"
        line="$line $n"
    done
    echo "$line"
done
