"""rpc-errors: what a NETCONF server says when it refuses (RFC 6241 4.3 and appendix A)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lxml import etree

from ponprobe.emulator.netconf.modules import BASE, NAMESPACES

Layer = Literal["transport", "rpc", "protocol", "application"]
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


@dataclass(frozen=True)
class RpcError:
    """One ``<rpc-error>``. ``path`` is a YANG path with the prefixes in ``path_modules`` (prefix, module)."""

    layer: Layer
    tag: str
    message: str
    app_tag: str | None = None
    path: str | None = None
    path_modules: tuple[tuple[str, str], ...] = ()
    info: tuple[tuple[str, str], ...] = ()

    def element(self) -> etree._Element:
        """As it stands in a reply."""
        error = etree.Element(f"{{{BASE}}}rpc-error", nsmap={None: BASE})
        _leaf(error, "error-type", self.layer)
        _leaf(error, "error-tag", self.tag)
        _leaf(error, "error-severity", "error")
        if self.app_tag is not None:
            _leaf(error, "error-app-tag", self.app_tag)
        if self.path is not None:
            prefixes = {prefix: NAMESPACES[module] for prefix, module in self.path_modules}
            etree.SubElement(error, f"{{{BASE}}}error-path", nsmap=prefixes).text = self.path
        _leaf(error, "error-message", self.message).set(XML_LANG, "en")
        if self.info:
            info = etree.SubElement(error, f"{{{BASE}}}error-info")
            for name, text in self.info:
                _leaf(info, name, text)
        return error


def _leaf(parent: etree._Element, name: str, text: str) -> etree._Element:
    element = etree.SubElement(parent, f"{{{BASE}}}{name}")
    element.text = text
    return element


class Denied(Exception):  # turned into an rpc-reply, never seen outside
    """A request that is refused, with every reason."""

    def __init__(self, *errors: RpcError) -> None:
        super().__init__(errors[0].message)
        self.errors = errors


def failed(message: str) -> RpcError:
    """An ``operation-failed`` of the application."""
    return RpcError("application", "operation-failed", message)


def unsupported(message: str = "The requested operation is not supported.") -> RpcError:
    """An ``operation-not-supported``."""
    return RpcError("protocol", "operation-not-supported", message)


def invalid(message: str) -> RpcError:
    """An ``invalid-value`` of the protocol."""
    return RpcError("protocol", "invalid-value", message)


def lock_denied(holder: int) -> RpcError:
    """Somebody else holds the lock; 0: nobody with a NETCONF session."""
    return RpcError(
        "protocol",
        "lock-denied",
        "Access to the requested lock is denied because the lock is currently held by another entity.",
        info=(("session-id", str(holder)),),
    )


def in_use() -> RpcError:
    """The datastore is locked by another session."""
    return RpcError("protocol", "in-use", "The request requires a resource that is already in use.")


def unknown_namespace(name: str, namespace: str) -> RpcError:
    """An element of a module that this server does not have."""
    return RpcError(
        "application",
        "unknown-namespace",
        "An unexpected namespace is present.",
        info=(("bad-element", name), ("bad-namespace", namespace)),
    )


def unknown_element(name: str) -> RpcError:
    """An element that the model does not have in this place."""
    return RpcError(
        "application", "unknown-element", "An unexpected element is present.", info=(("bad-element", name),)
    )


def missing_element(name: str) -> RpcError:
    """A parameter that the operation needs."""
    return RpcError("protocol", "missing-element", "An expected element is missing.", info=(("bad-element", name),))
