"""Huawei SmartAX OLTs, written from what real ones print."""
