"""Huawei SmartAX: how it talks, what it says, what to ask it."""
