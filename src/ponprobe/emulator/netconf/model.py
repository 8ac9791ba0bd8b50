"""The part of the Broadband Forum's models that an OLT for residential ONUs has, as a tree of data.

One line is one node, in the order of the YANG modules: ``[module:]name`` (without: that of the node above), then
``container``, ``list KEY`` or a type. ``!`` mandatory, ``-`` state (not configuration), ``*`` a leaf-list, ``presence``
a container that means something by being there, ``(choice/case)`` where it stands in one. Types: ``string A..B``,
``ascii64``, ``text PATTERN``, integers with a range, ``decimal4``, ``boolean``, ``empty``, ``enum a|b``, ``identity
MODULE``, ``leafref TARGET``, ``date``, and named unions.
"""

from __future__ import annotations

MODEL = """
bbf-l2-forwarding:forwarding container
  forwarders container
    forwarder list name
      name ascii64
      ports container
        port list name
          name ascii64
          sub-interface leafref interface
  forwarding-databases container
    forwarding-database list name
      name ascii64
      max-number-mac-addresses uint32
      aging-timer uint32
bbf-l2-forwarding:forwarding-state container -
  forwarders container
    forwarder list name
      name ascii64
      ports container
        port list name
          name ascii64
          sub-interface string
      forwarding-databases container
        forwarding-database string
  forwarding-databases container
    forwarding-database list name
      name ascii64
      mac-addresses container
        mac-address list mac-address
          mac-address string
          forwarder string (learned-on/forwarder-port)
          port string (learned-on/forwarder-port)
bbf-link-table:link-table container
  link-table list from-interface
    from-interface leafref interface
    to-interface leafref interface *
bbf-xpongemtcont:xpongemtcont container
  traffic-descriptor-profiles container
    traffic-descriptor-profile list name
      name string
      fixed-bandwidth uint64
      assured-bandwidth uint64
      maximum-bandwidth uint64 !
      priority uint8 1..8
      weight uint8
      additional-bw-eligibility-indicator enum non-assured-sharing|best-effort-sharing|none
  tconts container
    tcont list name
      name ascii64
      alloc-id uint16
      interface-reference leafref interface
      traffic-descriptor-profile-ref leafref profile
  gemports container
    gemport list name
      name ascii64
      gemport-id uint32
      interface leafref interface
      traffic-class uint8 0..7
      downstream-aes-indicator boolean
      upstream-aes-indicator boolean
      tcont-ref leafref tcont
bbf-xpongemtcont:xpongemtcont-state container -
  tconts container
    tcont list name
      name ascii64
      actual-alloc-id uint16
  gemports container
    gemport list name
      name ascii64
      actual-gemport-id uint32 !
ietf-hardware:hardware container
  last-change date -
  component list name
    name string
    class identity iana-hardware,bbf-hardware-types !
    physical-index int32 1..2147483647 -
    description string -
    parent string
    parent-rel-pos int32 0..2147483647
    contains-child string - *
    hardware-rev string -
    firmware-rev string -
    software-rev string -
    serial-num string -
    mfg-name string -
    model-name string -
    alias string
    asset-id string
    is-fru boolean -
    mfg-date date -
    uri string *
    uuid string -
    bbf-hardware-transceivers:transceiver-link container
      diagnostics container
        tx-bias uint32 -
        tx-power uint16 - (power/power-in-mwatt)
        rx-power uint16 - (power/power-in-mwatt)
        power-milliwatts container - presence
          transmit decimal4
          receive decimal4
        power-dbm container - presence
          transmit dbm
          receive dbm
        bbf-hardware-transceivers-xpon:rssi-onu list detected-serial-number -
          detected-serial-number serial
          rssi rssi !
          v-ani-ref string
ietf-interfaces:interfaces container
  interface list name
    name string
    description string
    type identity iana-if-type,bbf-if-type,bbf-xpon-if-type !
    enabled boolean
    link-up-down-trap-enable enum enabled|disabled
    bbf-hardware:hardware-component container presence
      port-layer-if leafref component *
    bbf-sub-interfaces:subif-lower-layer container
      interface leafref interface
    bbf-sub-interfaces:inline-frame-processing container (frame-processing/inline-frame-processing)
      ingress-rule container
        rule list name
          name ascii64
          priority uint16 1..65535
          ingress-rewrite container
            bbf-sub-interface-tagging:pop-tags uint8 0..2
            bbf-sub-interface-tagging:push-tag list index
              index uint8 0..1
              dot1q-tag container
                tag-type tag-type !
                vlan-id vlan-or-0 !
                write-pbit-0 empty (pbit/write-pbit-0)
                pbit-from-tag-index uint8 0..1 (pbit/copy-pbit-from-input-or-0)
                write-pbit uint8 0..7 (pbit/write-pbit-value)
                pbit-marking-index uint8 (pbit/generate-pbit-from-marking-list-or-0)
                write-dei-0 empty (dei/write-dei-0)
                dei-from-tag-index uint8 0..1 (dei/copy-dei-from-input-or-0)
                write-dei-1 empty (dei/write-dei-1)
                dei-marking-index uint8 (dei/generate-dei-from-marking-list-or-0)
          flexible-match container
            bbf-sub-interface-tagging:match-criteria container
              any-frame empty (frame-filter/any-frame)
              untagged empty (vlan-tag-match-type/untagged)
              tag list index (vlan-tag-match-type/vlan-tagged)
                index uint8 0..1
                dot1q-tag container
                  tag-type tag-type-or-any !
                  vlan-id vlans !
                  pbit pbits
                  dei dei
              match-all empty (vlan-tag-match-type/match-all)
              ethernet-frame-type string
              any-protocol empty (protocols/any-protocol)
              protocol string * (protocols/protocol)
      egress-rewrite container
        bbf-sub-interface-tagging:pop-tags uint8 0..2
        bbf-sub-interface-tagging:push-tag list index
          index uint8 0..1
          dot1q-tag container
            tag-type tag-type !
            vlan-id vlan-or-0 !
            write-pbit-0 empty (pbit/write-pbit-0)
            pbit-from-tag-index uint8 0..1 (pbit/copy-pbit-from-input-or-0)
            write-pbit uint8 0..7 (pbit/write-pbit-value)
            write-dei-0 empty (dei/write-dei-0)
            dei-from-tag-index uint8 0..1 (dei/copy-dei-from-input-or-0)
            write-dei-1 empty (dei/write-dei-1)
    bbf-xpon:channel-group container
      polling-period uint32 1..864000
      raman-mitigation enum raman-none|raman-8b10b|raman-miller
      system-id text [0-9a-fA-F]{5}
      pon-pools container
        pon-pool list name
          name ascii64
          channel-termination-ref leafref interface
          alloc-id-values string
          gemport-values string
          onu-id-values string
    bbf-xpon:channel-pair container
      channel-group-ref leafref interface
      channel-partition-ref leafref interface
      channel-pair-type identity bbf-xpon-types !
      gpon-pon-id-interval uint16 0..60
    bbf-xpon:channel-partition container
      channel-group-ref leafref interface !
      channel-partition-index uint8 0..15
      downstream-fec boolean
      downstream-interleaving boolean
      closest-onu-distance uint16 0..40
      maximum-differential-xpon-distance uint16 20..40
      authentication-method enum serial-number|loid|registration-id|omci|dot1x|as-per-v-ani-expected
      multicast-aes-indicator boolean
    bbf-xpon:channel-termination container
      channel-pair-ref leafref interface
      channel-termination-type identity bbf-xpon-types !
      meant-for-type-b-primary-role boolean
      gpon-pon-id text [a-fA-F0-9]{14}
      ber-calc-period uint32 1..864000
      location identity bbf-xpon-types
    bbf-xponani:ani container
      upstream-fec boolean
      management-gemport-aes-indicator boolean
      onu-id uint32 0..1020
    bbf-xponvani:olt-v-enet container
      lower-layer-interface leafref interface !
    bbf-xponvani:v-ani container
      onu-id uint32 0..1020
      channel-partition leafref interface
      expected-serial-number serial
      expected-registration-id string 0..72
      preferred-channel-pair leafref interface
      protection-channel-pair leafref interface
      upstream-channel-speed uint64
      upstream-fec boolean
      management-gemport-id uint32
      management-gemport-aes-indicator boolean
      bbf-xponvani-onu-authentication:expected-loid string 1..24
ietf-interfaces:interfaces-state container -
  interface list name
    name string
    type identity iana-if-type,bbf-if-type,bbf-xpon-if-type !
    oper-status enum up|down|testing|unknown|dormant|not-present|lower-layer-down !
    last-change date
    statistics container
      discontinuity-time date !
    bbf-xpon:channel-termination container
      location identity bbf-xpon-types
      bbf-xpon-onu-state:onus-present-on-local-channel-termination container
        onu list detected-serial-number
          detected-serial-number serial
          onu-presence-state identity bbf-xpon-onu-types !
          onu-id uint32 0..1020
          detected-registration-id string 0..72
          v-ani-ref string
          onu-detected-datetime date !
          onu-state-last-change date !
    bbf-xponvani:v-ani container
      onu-id uint32 0..1020
      onu-presence-state identity bbf-xpon-onu-types
      onu-present-on-this-olt container presence
        onu-present-on-this-channel-pair string !
        onu-present-on-this-channel-termination string !
        onu-fiber-distance uint32
        detected-serial-number serial
        detected-registration-id string 0..72
ietf-system:system container
  hostname string 1..253
ietf-yang-library:yang-library container -
  module-set list name
    name string
    module list name
      name string
      revision string
      namespace string
      feature string *
    import-only-module list name
      name string
      revision string
      namespace string
  schema list name
    name string
    module-set string *
  content-id string
ietf-yang-library:modules-state container -
  module-set-id string
  module list name
    name string
    revision string
    namespace string
    feature string *
    conformance-type enum implement|import
"""
