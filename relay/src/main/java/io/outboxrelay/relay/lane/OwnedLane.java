package io.outboxrelay.relay.lane;

/**
 * A lane and its owner, with which every claim and every fenced write is compared.
 *
 * @param lane the lane
 * @param owner the relay's process, a name that no other process has or had: an epoch may be given out twice if the commit
 *     that gave it out first is lost with its server
 * @param epoch the lane's count of owners
 */
public record OwnedLane(int lane, String owner, long epoch) {}
