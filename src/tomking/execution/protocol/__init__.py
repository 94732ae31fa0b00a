"""The order protocol: from an order that is durable to what the broker's evidence says became of it."""

from tomking.execution.protocol.desk import OrderDesk

__all__ = ["OrderDesk"]
