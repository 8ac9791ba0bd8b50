"""Why a step on a device failed, in the report's language: by the class of the error, never by reading its sentence.

What the device itself said, and what no class tells, is quoted as it was written.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ponprobe.models.engineering import Failure
from ponprobe.optics.findings import quoted
from ponprobe.optics.words import Lang
from ponprobe.reports.two import Two

_QUOTED = frozenset(
    (
        "DeviceError", "AlreadyExists", "NotFound", "ResourceBusy", "PermissionDenied", "VlanInUse", "Rejected",
        "ParseError", "ConfigError", "NotSupported", "DriverNotFound", "IllegalTransition", "EvidenceError",
    )
)  # fmt: skip
"""Classes whose message holds more than the class tells: a device's answer, or what is wrong with a record."""
_SAID: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        # what happened, and what to do about it
        "ConfigError": ("设置或资料有误，未向设备发送任何内容", "改正后重新派发"),
        "SecretMissing": ("找不到所引用的口令", "检查口令引用（env、file、ask）后重新派发"),
        "MissingExtra": ("缺少可选组件", "安装所缺组件后重新派发"),
        "UnitAmbiguity": ("门限的单位有歧义", "写明单位后重新派发"),
        "DriverNotFound": ("没有该平台的驱动", "核对OLT的平台名称"),
        "NotSupported": ("设备或驱动不支持该操作", "改用支持的方式，或人工完成后录入"),
        "TransportError": ("与设备的通信失败", "检查到OLT的网络后重新派发"),
        "ConnectError": ("无法连接设备", "检查OLT地址、端口和网络后重新派发"),
        "AuthError": ("设备拒绝了登录", "核对用户名和口令；为避免锁定，不会自动重试"),
        "SessionLimit": ("设备没有空闲会话", "释放会话后重新派发"),
        "HostKeyError": ("SSH主机密钥与记录不符或未知", "向设备管理员核实密钥"),
        "TransportTimeout": ("设备未在规定时间内应答", "检查到OLT的网络和设备负荷后重新派发"),
        "SessionLost": ("会话中断，最后的命令可能已执行", "恢复后回读设备，再重新派发"),
        "DeviceError": ("设备拒绝了命令", "按设备的答复处理后重新派发"),
        "AlreadyExists": ("设备上已有同样的对象", "查明占用者后重新派发"),
        "NotFound": ("设备上没有所指的对象", "核对记录的端口与模板后重新派发"),
        "ResourceBusy": ("设备正忙", "稍后重新派发"),
        "PermissionDenied": ("登录用户没有该命令的权限", "使用有权限的用户"),
        "VlanInUse": ("VLAN已被使用", "换一个测试CVLAN后重新派发"),
        "Rejected": ("设备拒绝了命令", "按设备的答复处理后重新派发"),
        "ParseError": ("设备的答复无法识别，不作猜测", "保存会话记录并反馈"),
        "WrongPort": ("测试ONU出现在其他PON口", "修改资源资料，或改接到正确的分光器"),
        "PoolExhausted": ("测试CVLAN已用完", "撤销已结束的测试，或扩大测试CVLAN范围"),
        "LeaseConflict": ("测试CVLAN被另一测试占用", "等待该测试撤销后重新派发"),
        "IllegalTransition": ("当前状态不允许该步骤", "先完成前一步骤"),
        "EvidenceError": ("证据文件有误", "重新提交证据文件"),
        "RevokeError": ("撤销未成功", "再次撤销，直至证明已清理"),
        "ResidueError": ("撤销后设备上仍有本次测试的配置", "再次撤销，直至证明已清理"),
        "NotOurs": ("该位置已不是本次测试的ONU，未作删除", "查明该ONU的来源，由人工处理"),
        "Interrupted": ("进程中断", "执行恢复（resume）后重新派发"),
    }
)
_ROLLBACK: Mapping[str, Two] = MappingProxyType(
    {
        "nothing_done": Two("设备上未作改动", "nothing was changed on the device"),
        "rolled_back": Two("已回滚并证明", "rolled back, and proven"),
        "residue": Two("设备上有残留", "something is left on the device"),
        "unknown": Two("设备上是否有残留未知", "whether something is left on the device is not known"),
    }
)


def why_failed(failure: Failure, lang: Lang) -> str:
    """What went wrong, with the class of the error, and what became of the device."""
    after = _ROLLBACK[failure.rollback].of(lang)
    if lang == "en":
        return f"{failure.error_class}: {failure.message}; {after}"
    known = _SAID.get(failure.error_class)
    if known is None:
        return f"{failure.error_class}（{quoted(failure.message)}）；{after}"
    quote = f"，{quoted(failure.message)}" if failure.error_class in _QUOTED else ""
    return f"{known[0]}（{failure.error_class}{quote}）；{after}"


def what_to_do(failure: Failure, lang: Lang) -> str | None:
    """The next step about it; ``None`` where nobody knows one."""
    if lang == "en":
        return failure.hint
    known = _SAID.get(failure.error_class)
    if known is None:
        return None if failure.hint is None else quoted(failure.hint)
    return known[1]
