// Package push carries what reaches a phone by SMS: the WSP push with its SEC and MAC, the package 0 notification of
// OMA DM, service indication and loading, and below them the TPDUs of SMS with their segments.
//
// From the inside out: a document (package cp) is the Body of a Push, a Push is cut by Split into the user data of
// several Submits, and each Submit goes to a modem as one TPDU. The phone walks the same way back with ReadDeliver,
// Reassembler and ReadPush.
//
// Sources: WAP-230-WSP, WAP-259-WDP, 3GPP TS 23.040, OMA-TS-DM-Notification 1.2; sections 5 to 7 of the fact sheet.
package push
